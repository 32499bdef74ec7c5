"""The admission plugins that a Kubernetes API server runs by default, without those that call out.

Source: Kubernetes' `plugin/pkg/admission`, apiserver's `admission/plugin`, for rules and wording.
"""
