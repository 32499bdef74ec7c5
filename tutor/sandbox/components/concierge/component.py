"""The Concierge's programs."""

from tutor.sandbox.component import Component
from tutor.sandbox.components.concierge import agent, server

COMPONENT = Component(
    name="concierge",
    programs={
        "pinniped-concierge": server.run,
        "pinniped-concierge-kube-cert-agent sleep": agent.sleep,
    },
)
