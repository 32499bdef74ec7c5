"""Kinds that keep pods: replica sets, deployments, daemon and stateful sets, jobs, cron jobs."""
