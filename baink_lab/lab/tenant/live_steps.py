"""Live mode: which earlier steps a lab's tenant lacks. It looks, and changes nothing."""

from __future__ import annotations

import dataclasses

from baink_lab.auth0.management import ManagementClient
from baink_lab.errors import BainkError
from baink_lab.lab.tenant.pieces import PIECES, needs
from baink_lab.lab.tenant.view import look
from baink_lab.settings import World


async def missing(management: ManagementClient, world: World, number: int) -> list[str]:
    """What lab `number` stands on and the tenant has not, in sentences; empty when all is there.

    Args:
        management: asks the tenant.
        world: where it is.
        number: of the lab.
    """
    if not any(needs(number, piece) for piece in PIECES.values()):
        return []
    if not (world.management_client_id and world.management_client_secret):
        return [
            "Whether your tenant has what earlier labs configure is not known: that needs "
            "AUTH0_MGMT_CLIENT_ID and AUTH0_MGMT_CLIENT_SECRET."
        ]
    try:
        view = await look(management, world)
    except BainkError as failure:
        return [f"Whether your tenant has what earlier labs configure is not known: {failure}"]
    view = dataclasses.replace(view, provider=None)  # with an app of one's own, it is another one
    lacking = [
        f"{piece.name} (lab {piece.lab:02d})"
        for name, piece in PIECES.items()
        if needs(number, piece)
        and piece.mark(view) is None
        and not (name == "phone" and not world.user_id)  # whose? that is known after the login
    ]
    if not lacking:
        return []
    return [
        f"Lab {number:02d} stands on earlier steps that your tenant lacks: {', '.join(lacking)}. "
        "Do them in those labs first; await lab.doctor() says where each is in the dashboard. "
        "I changed nothing: in live mode only you do."
    ]
