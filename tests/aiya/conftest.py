import pytest

from tests.aiya_world import World


@pytest.fixture
def life(tmp_path, tenant, tenant_http, world, clock):
    """A world whose agent process tests start, and start again."""
    life = World(tmp_path, tenant, tenant_http, world, clock)
    yield life
    life.close()


@pytest.fixture
async def aiya(life):
    """The same with the process running."""
    async with life.process():
        yield life
