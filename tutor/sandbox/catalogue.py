"""The products that a cluster of the sandbox can run."""

from tutor.sandbox.component import Component
from tutor.sandbox.components.certmanager.component import COMPONENT as CERT_MANAGER
from tutor.sandbox.components.concierge.component import COMPONENT as CONCIERGE
from tutor.sandbox.components.contour.component import COMPONENT as CONTOUR
from tutor.sandbox.components.localpath.component import COMPONENT as LOCAL_PATH
from tutor.sandbox.components.localuser.component import COMPONENT as LOCAL_USER


def components() -> dict[str, Component]:
    """Every component, by name."""
    return {
        component.name: component
        for component in (CERT_MANAGER, CONCIERGE, CONTOUR, LOCAL_PATH, LOCAL_USER)
    }
