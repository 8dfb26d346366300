from __future__ import annotations

import pytest

from auditor.config import TenantConfig
from auditor.errors import ConfigError
from auditor.graph.clouds import CLOUDS, endpoints


def _custom(**urls: str) -> TenantConfig:
    return TenantConfig(name="t", tenant_id="t", cloud="custom", authority="https://login.test", **urls)


@pytest.mark.parametrize("cloud", sorted(CLOUDS))
def test_scopes_follow_the_cloud(cloud):
    where = endpoints(TenantConfig(name="t", tenant_id="t", cloud=cloud))
    assert where.graph_scope == f"{where.graph}/.default"
    assert where.exchange_scope == f"{where.exchange}/.default"
    assert where.graph_host in where.graph


def test_hosts_that_no_microsoft_page_confirms_are_marked():
    assert [name for name, where in CLOUDS.items() if where.smtp_verified] == ["public"]
    assert CLOUDS["dod"].smtp_host == ""


def test_a_custom_cloud_keeps_its_port_and_loses_its_slash():
    where = endpoints(_custom(graph_url="https://Graph.test:8443/", exchange_url=""))
    assert where.graph == "https://Graph.test:8443"
    assert where.graph_host == "graph.test:8443"
    assert where.exchange_scope == ""


@pytest.mark.parametrize(
    "url", ["https://graph.test/v1.0", "https://graph.test/beta/", "https://", "https://u:p@graph.test",
            "https://graph.test?x=1", "https://graph.test:99999", "http://graph.test"],
)  # fmt: skip
def test_a_root_that_is_none_is_refused_without_repeating_it(url):
    with pytest.raises(ConfigError) as caught:
        endpoints(_custom(graph_url=url))
    assert "graph_url" in str(caught.value)
    assert "u:p" not in str(caught.value)
