"""cert-manager: three programs, one for each of its Deployments."""

from tutor.sandbox.component import Component
from tutor.sandbox.components.certmanager.cainjector import cainjector
from tutor.sandbox.components.certmanager.controller import controller
from tutor.sandbox.components.certmanager.webhook import webhook

COMPONENT = Component(
    name="cert-manager",
    programs={
        "cert-manager-controller": controller,
        "cert-manager-cainjector": cainjector,
        "cert-manager-webhook": webhook,
    },
)
