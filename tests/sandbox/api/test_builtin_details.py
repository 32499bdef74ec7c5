"""Single rules of built-in kinds, as a kube-apiserver was seen to follow them."""

import pytest

from tests.fakes.cluster import Api, obj, pod

PODS = "/api/v1/namespaces/here/pods"
SERVICES = "/api/v1/namespaces/here/services"


@pytest.fixture
async def account(api: Api) -> None:
    """What pods run as."""
    await api.make("/api/v1/namespaces/here/serviceaccounts", obj("ServiceAccount", "default"))


@pytest.mark.usefixtures("account")
async def test_negative_grace_period_of_a_pod_is_one_second(api: Api) -> None:
    made = await api.ask("POST", PODS, pod("a", terminationGracePeriodSeconds=-1))
    assert made.body["spec"]["terminationGracePeriodSeconds"] == 1
    assert made.header("Warning") == []


@pytest.mark.usefixtures("account")
async def test_image_whose_name_is_too_long_is_not_asked_for_each_time(api: Api) -> None:
    containers = [{"name": "c", "image": "a" * 256}]
    made = await api.make(PODS, pod("a", containers=containers))
    assert made["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"


async def test_empty_traffic_policy_is_refused_and_no_policy_is_filled_in(api: Api) -> None:
    service = obj("Service", "s", spec={"ports": [{"port": 80}], "internalTrafficPolicy": ""})
    refused = await api.ask("POST", SERVICES, service)
    assert refused.message.endswith(
        'spec.internalTrafficPolicy: Unsupported value: "": supported values: "Cluster", "Local"'
    )
    del service["spec"]["internalTrafficPolicy"]
    made = await api.make(SERVICES, service)
    assert made["spec"]["internalTrafficPolicy"] == "Cluster"


async def test_external_name_shows_no_traffic_policy(api: Api) -> None:
    external = {"type": "ExternalName", "externalName": "a.b", "internalTrafficPolicy": "Local"}
    made = await api.make(SERVICES, obj("Service", "made", spec=external))
    assert made["spec"] == {
        "type": "ExternalName",
        "externalName": "a.b",
        "sessionAffinity": "None",
    }
    await api.make(SERVICES, obj("Service", "turned", spec={"ports": [{"port": 80}]}))
    change = {"spec": {"type": "ExternalName", "externalName": "a.b"}}
    turned = await api.ask(
        "PATCH",
        f"{SERVICES}/turned",
        change,
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert "internalTrafficPolicy" not in turned.body["spec"]
    again = await api.ask("GET", f"{SERVICES}/turned")
    assert "internalTrafficPolicy" not in again.body["spec"]


async def test_container_resource_of_an_autoscaler_is_one_of_containers(api: Api) -> None:
    target = {"type": "Utilization", "averageUtilization": 5}
    metric = {
        "type": "ContainerResource",
        "containerResource": {"name": "storage", "container": "c", "target": target},
    }
    spec = {
        "maxReplicas": 3,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"},
        "metrics": [metric],
    }
    path = "/apis/autoscaling/v2/namespaces/here/horizontalpodautoscalers"
    scaler = obj("HorizontalPodAutoscaler", "h", version="autoscaling/v2", spec=spec)
    refused = await api.ask("POST", path, scaler)
    assert refused.message.endswith(
        'spec.metrics[0].containerResource.name: Invalid value: "storage": must be a standard'
        " resource for containers"
    )


async def test_unknown_distinguisher_is_shown_with_the_names_of_the_server(api: Api) -> None:
    spec = {
        "priorityLevelConfiguration": {"name": "global-default"},
        "distinguisherMethod": {"type": "ByMood"},
    }
    path = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas"
    schema = obj("FlowSchema", "f", version="flowcontrol.apiserver.k8s.io/v1", spec=spec)
    refused = await api.ask("POST", path, schema)
    assert 'Unsupported value: {"Type":"ByMood"}' in refused.message


async def test_name_of_a_replication_controller_is_counted_in_bytes(api: Api) -> None:
    path = "/api/v1/namespaces/here/replicationcontrollers"
    refused = await api.ask("POST", path, obj("ReplicationController", "a" * 254))
    assert "metadata.name" in refused.message
    assert "must be no more than 253 bytes" in refused.message


@pytest.mark.parametrize(
    ("every", "why"),
    [
        ("5x", 'unknown unit "x" in duration "5x"'),
        ("5", 'missing unit in duration "5"'),
        ("1m-3s", 'unknown unit "m-" in duration "1m-3s"'),
    ],
)
async def test_interval_of_a_cron_job_is_read_as_a_duration_of_go(
    api: Api, every: str, why: str
) -> None:
    template = {"spec": {"template": {"spec": pod("a", restartPolicy="Never")["spec"]}}}
    spec = {"schedule": f"@every {every}", "jobTemplate": template}
    cron = obj("CronJob", "c", version="batch/v1", spec=spec)
    refused = await api.ask("POST", "/apis/batch/v1/namespaces/here/cronjobs", cron)
    assert refused.message.endswith(f"failed to parse duration @every {every}: time: {why}")


async def test_generated_selector_of_a_job_is_printed_in_the_order_of_its_keys(api: Api) -> None:
    template = {"spec": pod("a", restartPolicy="Never")["spec"]}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    job = obj("Job", "j", version="batch/v1", spec=spec)
    refused = await api.ask("POST", "/apis/batch/v1/namespaces/here/jobs", job)
    shown = 'spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/'
    assert shown in refused.message


async def test_change_of_what_an_address_belongs_to_shows_it_as_the_server_has_it(
    api: Api,
) -> None:
    parent = {"resource": "services", "namespace": "default", "name": "kubernetes"}
    labels = {"ipaddress.kubernetes.io/managed-by": "me"}
    made = obj("IPAddress", "10.1.2.3", version="networking.k8s.io/v1", spec={"parentRef": parent})
    made["metadata"]["labels"] = labels
    path = "/apis/networking.k8s.io/v1/ipaddresses"
    kept = await api.make(path, made)
    kept["spec"]["parentRef"]["name"] = "other"
    refused = await api.ask("PUT", f"{path}/10.1.2.3", kept)
    assert refused.message == (
        'IPAddress.networking.k8s.io "10.1.2.3" is invalid: spec.parentRef: Invalid value:'
        ' {"Group":"","Resource":"services","Namespace":"default","Name":"other"}: field is'
        " immutable"
    )
