"""Kinds that register who is asked at admission: webhooks and policies.

Source: `apis/admissionregistration`, `registry/admissionregistration`.
"""
