"""The programs of Contour's pods."""

from tutor.sandbox.component import Component
from tutor.sandbox.components.contour import certgen, envoy, serve

COMPONENT = Component(
    name="contour",
    programs={
        "contour certgen": certgen.run,
        "contour serve": serve.run,
        "envoy": envoy.run,
    },
)
