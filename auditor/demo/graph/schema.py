"""The properties of the Graph types that the emulated tenant serves (Microsoft's published metadata, v1.0).

Navigation properties are left out: they are not selectable here.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class EntityType:
    """`collections` answer `[]` where nothing is stored, the rest null. `default`: what comes without `$select`
    (empty: everything that is stored). `omitted`: cannot be null, or belongs to a subtype: left out where nothing is
    stored."""

    name: str
    properties: frozenset[str]
    collections: frozenset[str] = frozenset()
    default: tuple[str, ...] = ()
    omitted: frozenset[str] = frozenset()
    by_lower_case: dict[str, str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_lower_case", {name.lower(): name for name in self.properties})


def _type(name: str, properties: str, collections: str = "", default: str = "", omitted: str = "") -> EntityType:
    lists = frozenset(collections.split())
    return EntityType(
        f"microsoft.graph.{name}",
        frozenset(properties.split()) | lists,
        lists,
        tuple(default.split()),
        frozenset(omitted.split()),
    )


USER = _type(
    "user",
    "id deletedDateTime aboutMe accountEnabled ageGroup authorizationInfo birthday city companyName "
    "consentProvidedForMinor country createdDateTime creationType customSecurityAttributes department "
    "deviceEnrollmentLimit displayName employeeHireDate employeeId employeeLeaveDateTime employeeOrgData employeeType "
    "externalUserState externalUserStateChangeDateTime faxNumber givenName hireDate identityParentId "
    "isManagementRestricted isResourceAccount jobTitle lastPasswordChangeDateTime legalAgeGroupClassification mail "
    "mailboxSettings mailNickname mobilePhone mySite officeLocation onPremisesDistinguishedName onPremisesDomainName "
    "onPremisesExtensionAttributes onPremisesImmutableId onPremisesLastSyncDateTime onPremisesSamAccountName "
    "onPremisesSecurityIdentifier onPremisesSyncEnabled onPremisesUserPrincipalName passwordPolicies passwordProfile "
    "postalCode preferredDataLocation preferredLanguage preferredName print securityIdentifier showInAddressList "
    "signInActivity signInSessionsValidFromDateTime state streetAddress surname usageLocation userPrincipalName "
    "userType",
    "assignedLicenses assignedPlans businessPhones identities imAddresses interests licenseAssignmentStates "
    "onPremisesProvisioningErrors otherMails pastProjects provisionedPlans proxyAddresses responsibilities schools "
    "serviceProvisioningErrors skills",
    "businessPhones displayName givenName id jobTitle mail mobilePhone officeLocation preferredLanguage surname "
    "userPrincipalName",
    "birthday deviceEnrollmentLimit hireDate mailboxSettings signInActivity",
)
GROUP = _type(
    "group",
    "id deletedDateTime accessType allowExternalSenders autoSubscribeNewMembers classification createdDateTime "
    "description displayName expirationDateTime hasMembersWithLicenseErrors hideFromAddressLists "
    "hideFromOutlookClients isArchived isAssignableToRole isFavorite isManagementRestricted isSubscribedByMail "
    "licenseProcessingState mail mailEnabled mailNickname membershipRule membershipRuleProcessingState "
    "onPremisesDomainName onPremisesExtensionAttributes onPremisesLastSyncDateTime onPremisesNetBiosName "
    "onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled organizationId preferredDataLocation "
    "preferredLanguage renewedDateTime securityEnabled securityIdentifier theme uniqueName unseenConversationsCount "
    "unseenCount unseenMessagesCount visibility welcomeMessageEnabled",
    "assignedLabels assignedLicenses groupTypes infoCatalogs onPremisesProvisioningErrors proxyAddresses "
    "resourceBehaviorOptions resourceProvisioningOptions serviceProvisioningErrors",
)
DIRECTORY_OBJECT = _type("directoryObject", "id deletedDateTime")
ORGANIZATION = _type(
    "organization",
    "id deletedDateTime city country countryLetterCode createdDateTime defaultUsageLocation displayName "
    "mobileDeviceManagementAuthority onPremisesLastSyncDateTime onPremisesSyncEnabled partnerTenantType postalCode "
    "preferredLanguage privacyProfile state street tenantType",
    "assignedPlans businessPhones marketingNotificationEmails provisionedPlans securityComplianceNotificationMails "
    "securityComplianceNotificationPhones technicalNotificationMails verifiedDomains",
    omitted="mobileDeviceManagementAuthority",
)
DOMAIN = _type(
    "domain",
    "id authenticationType availabilityStatus isAdminManaged isDefault isInitial isRoot isVerified manufacturer model "
    "passwordNotificationWindowInDays passwordValidityPeriodInDays state",
    "supportedServices",
)
SUBSCRIBED_SKU = _type(
    "subscribedSku",
    "id accountId accountName appliesTo capabilityStatus consumedUnits prepaidUnits skuId skuPartNumber",
    "servicePlans subscriptionIds",
)
CA_POLICY = _type(
    "conditionalAccessPolicy",
    "id conditions createdDateTime deletedDateTime description displayName grantControls modifiedDateTime "
    "sessionControls state templateId partialEnablementStrategy",
)
NAMED_LOCATION = _type(
    "namedLocation",
    "id createdDateTime deletedDateTime displayName modifiedDateTime isTrusted countryLookupMethod "
    "includeUnknownCountriesAndRegions",
    "ipRanges countriesAndRegions",
    omitted="countriesAndRegions countryLookupMethod includeUnknownCountriesAndRegions ipRanges isTrusted",
)
STRENGTH = _type(
    "authenticationStrengthPolicy",
    "id createdDateTime description displayName modifiedDateTime policyType requirementsSatisfied",
    "allowedCombinations combinationConfigurations",
)
SECURITY_DEFAULTS = _type(
    "identitySecurityDefaultsEnforcementPolicy", "id deletedDateTime description displayName isEnabled"
)
METHODS_POLICY = _type(
    "authenticationMethodsPolicy",
    "id description displayName lastModifiedDateTime policyMigrationState policyVersion reconfirmationInDays "
    "registrationEnforcement",
    "authenticationMethodConfigurations",
)
ROLE_DEFINITION = _type(
    "unifiedRoleDefinition",
    "id description displayName isBuiltIn isEnabled templateId version",
    "resourceScopes rolePermissions",
)
ROLE_ASSIGNMENT = _type(
    "unifiedRoleAssignment",
    "id appScopeId condition directoryScopeId principalId principalOrganizationId roleDefinitionId",
)
REGISTRATION = _type(
    "userRegistrationDetails",
    "id isAdmin isMfaCapable isMfaRegistered isPasswordlessCapable isSsprCapable isSsprEnabled isSsprRegistered "
    "isSystemPreferredAuthenticationMethodEnabled lastUpdatedDateTime userDisplayName "
    "userPreferredMethodForSecondaryAuthentication userPrincipalName userType",
    "methodsRegistered systemPreferredAuthenticationMethods",
)
SIGN_IN = _type(
    "signIn",
    "id appDisplayName appId authenticationAppDeviceDetails clientAppUsed conditionalAccessStatus correlationId "
    "createdDateTime deviceDetail homeTenantId ipAddress isInteractive location resourceDisplayName resourceId "
    "resourceTenantId riskDetail riskLevelAggregated riskLevelDuringSignIn riskState servicePrincipalId "
    "servicePrincipalName status userAgent userDisplayName userId userPrincipalName",
    "appliedConditionalAccessPolicies riskEventTypes riskEventTypes_v2",
    omitted="appliedConditionalAccessPolicies",  # withheld from apps that may not read policies, never empty for them
)
DIRECTORY_AUDIT = _type(
    "directoryAudit",
    "id activityDateTime activityDisplayName category correlationId initiatedBy loggedByService operationType result "
    "resultReason",
    "additionalDetails targetResources",
)
SERVICE_PRINCIPAL = _type(
    "servicePrincipal",
    "id deletedDateTime accountEnabled appDescription appDisplayName appId applicationTemplateId "
    "appOwnerOrganizationId appRoleAssignmentRequired createdByAppId customSecurityAttributes description "
    "disabledByMicrosoftStatus displayName homepage info isDisabled loginUrl logoutUrl notes "
    "preferredSingleSignOnMode preferredTokenSigningKeyThumbprint samlSingleSignOnSettings servicePrincipalType "
    "signInAudience tokenEncryptionKeyId verifiedPublisher",
    "addIns alternativeNames appRoles keyCredentials notificationEmailAddresses oauth2PermissionScopes "
    "passwordCredentials replyUrls resourceSpecificApplicationPermissions servicePrincipalNames tags",
)
APP_ROLE_ASSIGNMENT = _type(
    "appRoleAssignment",
    "id deletedDateTime appRoleId createdDateTime principalDisplayName principalId principalType resourceDisplayName "
    "resourceId",
)
PERMISSION_GRANT = _type("oAuth2PermissionGrant", "id clientId consentType principalId resourceId scope")
AUTHENTICATION_METHOD = _type("authenticationMethod", "id createdDateTime")
SNAPSHOT_JOB = _type(
    "configurationSnapshotJob",
    "id displayName description tenantId status createdDateTime completedDateTime createdBy resourceLocation",
    "resources errorDetails",
    default="id displayName description tenantId status resources createdDateTime completedDateTime",
)
SNAPSHOT = _type("configurationBaseline", "id displayName description", "parameters resources")
LICENCE_DETAILS = _type("licenseDetails", "id skuId skuPartNumber", "servicePlans")
REQUIREMENTS = _type("strongAuthenticationRequirements", "perUserMfaState")
REPORT_ROW = _type("report", "")
