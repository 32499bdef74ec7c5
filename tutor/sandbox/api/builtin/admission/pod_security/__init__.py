"""PodSecurity: the levels privileged, baseline and restricted.

Source: pod-security-admission, Kubernetes' `plugin/pkg/admission/security`.
"""
