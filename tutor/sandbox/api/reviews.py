"""Questions about identities and rights: objects that are answered and never stored."""

from collections.abc import Callable

from tutor.sandbox.api import access_review
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.identity import Authenticator
from tutor.sandbox.api.rbac import Attributes, Authorizer, Decision
from tutor.sandbox.api.registry import Served
from tutor.sandbox.api.request import Call, User
from tutor.sandbox.api.status import bad_request, invalid_object
from tutor.sandbox.api.token_requests import Lookup, TokenRequests
from tutor.sandbox.kinds import GroupResource, Object

ACCESS = "authorization.k8s.io"
AUTHENTICATION = "authentication.k8s.io"


class Reviews:
    """Answers reviews."""

    def __init__(
        self,
        authenticator: Authenticator,
        authorizer: Authorizer,
        decide: Callable[[User, Attributes], Decision],
        lookup: Lookup,
        uid: Callable[[], str],
    ) -> None:
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._decide = decide
        self._token_requests = TokenRequests(authenticator.tokens, lookup, uid)

    def answers(self, served: Served) -> bool:
        """Whether objects of this kind are answered, not stored."""
        return served.kind.group_resource in self._handlers

    def review_of(self, call: Call, served: Served, namespace: str, obj: Object) -> Object | None:
        """The question with its answer in `status`; None for collections of ordinary objects."""
        handler = self._handlers.get(served.kind.group_resource)
        return None if handler is None else handler(self, call, namespace, obj)

    def _self_subject(self, call: Call, _namespace: str, obj: Object) -> Object:
        meta = {"creationTimestamp": timestamp(call.now)}
        return obj | {"metadata": meta, "status": {"userInfo": call.user.info()}}

    def _token(self, call: Call, _namespace: str, obj: Object) -> Object:
        spec = obj.get("spec", {})
        token = spec.get("token", "")
        if not token:
            raise bad_request("token is required for TokenReview in authentication")
        audiences = items(spec, "audiences")
        found = self._authenticator.tokens.read(token, call.now, audiences)
        if found.who is None:
            status: Object = {"user": {}, "error": found.error}
        else:
            status = {"authenticated": True, "user": found.who.user.info()}
            shared = list(found.who.audiences)
            if shared:
                status["audiences"] = shared
        return obj | {"status": status}

    def _access(self, _call: Call, _namespace: str, obj: Object) -> Object:
        self._check_access(obj, names_user=True)
        spec = part(obj, "spec")
        return self._decided(obj, self._user_of(spec), spec)

    def _local_access(self, _call: Call, _namespace: str, obj: Object) -> Object:
        self._check_access(obj, names_user=True, local=True)
        spec = part(obj, "spec")
        return self._decided(obj, self._user_of(spec), spec)

    def _self_access(self, call: Call, _namespace: str, obj: Object) -> Object:
        self._check_access(obj, names_user=False)
        return self._decided(obj, call.user, part(obj, "spec"))

    def _check_access(self, obj: Object, *, names_user: bool, local: bool = False) -> None:
        errors = access_review.errors_of(obj, names_user=names_user, local=local)
        if errors:
            # The server looks up a kind here that its own structures do not carry.
            raise invalid_object(ACCESS, "", "", errors)

    def _user_of(self, spec: Object) -> User:
        extra = {key: tuple(values) for key, values in part(spec, "extra").items()}
        groups = tuple(items(spec, "groups"))
        return User(name=text(spec, "user"), groups=groups, uid=text(spec, "uid"), extra=extra)

    def _decided(self, obj: Object, user: User, spec: Object) -> Object:
        decision = self._decide(user, attributes_of(spec))
        status: Object = {"allowed": decision.allowed}
        if decision.reason:
            status["reason"] = decision.reason
        if unread := access_review.unread_selectors(spec):
            status["evaluationError"] = unread
        return obj | {"status": status}

    def _self_rules(self, call: Call, _namespace: str, obj: Object) -> Object:
        namespace = obj.get("spec", {}).get("namespace", "")
        if not namespace:
            raise bad_request("no namespace on request")
        rules, missing = self._authorizer.rules_for(call.user, namespace)
        fields = ("verbs", "apiGroups", "resources", "resourceNames")
        resource_rules = [
            {name: rule[name] for name in fields if rule.get(name)}
            for rule in rules
            if rule.get("resources")
        ]
        url_rules = [
            {"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]}
            for rule in rules
            if rule.get("nonResourceURLs")
        ]
        status: Object = {
            "resourceRules": resource_rules,
            "nonResourceRules": url_rules,
            "incomplete": bool(missing),
        }
        if missing:
            status["evaluationError"] = "; ".join(missing)
        head = {name: obj[name] for name in ("kind", "apiVersion") if name in obj}
        return head | {"metadata": {}, "spec": {}, "status": status}

    def token_request(self, call: Call, namespace: str, name: str, obj: Object) -> Object:
        """A TokenRequest for a service account, with the token in its status."""
        return self._token_requests.answer(call, namespace, name, obj)

    _handlers: dict[GroupResource, Callable[..., Object]] = {  # noqa: RUF012 - never changes
        GroupResource(AUTHENTICATION, "selfsubjectreviews"): _self_subject,
        GroupResource(AUTHENTICATION, "tokenreviews"): _token,
        GroupResource(ACCESS, "subjectaccessreviews"): _access,
        GroupResource(ACCESS, "localsubjectaccessreviews"): _local_access,
        GroupResource(ACCESS, "selfsubjectaccessreviews"): _self_access,
        GroupResource(ACCESS, "selfsubjectrulesreviews"): _self_rules,
    }


def attributes_of(spec: Object) -> Attributes:
    """The access that a review asks about."""
    path = spec.get("nonResourceAttributes")
    if path is not None:
        return Attributes(verb=path.get("verb", ""), path=path.get("path", ""), is_resource=False)
    asked = part(spec, "resourceAttributes")
    return Attributes(
        verb=text(asked, "verb"),
        group=text(asked, "group"),
        version=text(asked, "version"),
        resource=text(asked, "resource"),
        subresource=text(asked, "subresource"),
        namespace=text(asked, "namespace"),
        name=text(asked, "name"),
    )
