"""Mailbox service plans of Exchange Online, by servicePlanId. Pure data; plan names are never matched.

Source: Microsoft's "Product names and service plan identifiers for licensing"
(https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference).
"""

from __future__ import annotations

MAILBOX_PLANS: dict[str, str] = {
    "9aaf7827-d63c-4b61-89c3-182f06f82e5c": "EXCHANGE_S_STANDARD",
    "efb87545-963c-4e0d-99df-69c6916d9eb0": "EXCHANGE_S_ENTERPRISE",
    "4a82b400-a79f-41a4-b4e2-e94f5787b113": "EXCHANGE_S_DESKLESS",
    "88f4d7ef-a73b-4246-8047-516022144c9f": "EXCHANGE_S_DESKLESS_GOV",
    "e9b4930a-925f-45e2-ac2a-3f7788ca6fdd": "EXCHANGE_S_STANDARD_GOV",
    "8c3069c0-ccdb-44be-ab77-986203a67df2": "EXCHANGE_S_ENTERPRISE_GOV",
    "1126bef5-da20-4f07-b45e-ad25d2581aa8": "EXCHANGE_S_ESSENTIALS",
    "90927877-dcff-4af6-b346-2332c0b15bb7": "EXCHANGE_B_STANDARD",
    "d42bdbd6-c335-4231-ab3d-c8f348d5aff5": "EXCHANGE_L_STANDARD",
    "fc52cc4b-ed7d-472d-bbe7-b081c23ecc56": "EXCHANGE_S_STANDARD_MIDMARKET",
}
"""Plans that give a mailbox (lower-case servicePlanId → Microsoft's name)."""

OTHER_EXCHANGE_PLANS: dict[str, str] = {
    "113feb6c-3fe4-4440-bddc-54d774bf0318": "EXCHANGE_S_FOUNDATION",
    "922ba911-5694-4e99-a794-73aed9bfeec8": "EXCHANGE_S_FOUNDATION_GOV",
    "da040e0a-b393-4bea-bb76-928b3fa1cf5a": "EXCHANGE_S_ARCHIVE",
    "176a09a6-7ec5-4039-ac02-b2791c6ba793": "EXCHANGE_S_ARCHIVE_ADDON",
    "326e2b78-9d27-42c9-8509-46c827743a17": "EOP_ENTERPRISE",
    "75badc48-628e-4446-8460-41344d73abd6": "EOP_ENTERPRISE_PREMIUM",
    "34c0d7a0-a70f-4668-9238-47f9fc208882": "EXCHANGE_ANALYTICS",
    "208120d1-9adb-4daf-8c22-816bd5d237e7": "EXCHANGE_ANALYTICS_GOV",
    "897d51f1-2cfa-4848-9b30-469149f5e68e": "EXCHANGEONLINE_MULTIGEO",
    "cd31b152-6326-4d1b-ae1b-997b625182e6": "MIP_S_Exchange",
    "5b96ffc4-3853-4cf4-af50-e38505080f6b": "MIP_S_EXCHANGE_CO",
}
"""Plans of service `exchange` (or with Exchange in the name) that give no mailbox."""

UNVERIFIED_SKUS: dict[str, str] = {
    "50f60901-3181-4b75-8a2c-4c8e4c1d5a72": "M365_F1_COMM",
    "3ab6abff-666f-4424-bfb7-f0bc274ec7bc": "TEAMS_ESSENTIALS_AAD",
    "7e31c0d9-9551-471d-836f-32ee72be4a01": "Microsoft_Teams_Enterprise_New",
    "7e74bd05-2c47-404e-829a-ba95c66fe8e5": "Microsoft_Teams_EEA_New",
}
"""SKUs that carry EXCHANGE_S_DESKLESS although their right to a mailbox is not verified (calendar only, or none)."""
