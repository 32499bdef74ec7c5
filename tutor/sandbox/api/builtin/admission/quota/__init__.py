"""ResourceQuota: what the objects of a namespace use together, and how much they may.

Source: Kubernetes' `pkg/quota/v1`, apiserver's `pkg/quota` and `admission/plugin/resourcequota`.
"""
