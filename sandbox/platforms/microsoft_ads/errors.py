"""Microsoft's refusals: a status, and a fault with its errors as JSON.

Source: the data objects AdApiFaultDetail, ApiFaultDetail, AdApiError and OperationError, and "Operation Error Codes".
Faults of the call itself (token, header, rate) are AdApiFaultDetail, those of what it asks for ApiFaultDetail. No
document lists the statuses of the REST interface: 401 for tokens is what clients received, 429 for rates is assumed.
"""

from __future__ import annotations

from werkzeug.wrappers import Response

from sandbox.web import json_answer

TRACKING_ID = "5a5a5a5a-0000-4000-8000-000000000000"
_OF_CALLS = {
    0: (500, "InternalError", "An internal error has occurred."),
    105: (
        401, "InvalidCredentials",
        "Authentication failed. Either supplied credentials are invalid or the account is inactive",
    ),
    106: (403, "UserIsNotAuthorized", "User is not authorized to perform this action."),
    109: (401, "AuthenticationTokenExpired", "Authentication token expired. Please renew it or obtain a new token."),
    116: (400, "RequestMissingHeaders", "One or more required header elements are missing from the request."),
    117: (
        429, "CallRateExceeded",
        "You have exceeded the number of calls that you are allowed to make in a minute.",
    ),
}  # fmt: skip
_OF_QUESTIONS = {
    100: ("NullRequest", "The request message is null."),
    207: ("ConcurrentRequestOverLimit", "You have already reached the maximum number of concurrent report requests."),
    1030: ("CampaignServiceAccountIdHasToBeSpecified", "The CustomerAccountId element must be specified."),
    1100: ("CampaignServiceInvalidCampaignId", "The campaign identifier is not valid."),
    1102: ("CampaignServiceInvalidAccountId", "The account identifier is not valid."),
    1201: ("CampaignServiceInvalidAdGroupId", "The ad group ID is not valid."),
    2001: ("ReportingServiceNullReportRequest", "The report request is null."),
    2002: ("ReportingServiceUnknownReportType", "The report request type is not valid."),
    2003: ("ReportingServiceAccountNotAuthorized", "The request contains an account without privileges to access."),
    2004: ("ReportingServiceNoCompleteDataAvaliable", "Currently only partial data is available."),
    2005: (
        "ReportingServiceInvalidDataAvailabilityAndTimePeriodCombination",
        "Complete data is required for a time period for which it cannot be returned.",
    ),
    2006: ("ReportingServiceInvalidReportName", "The report request contains a report name that is not valid."),
    2007: ("ReportingServiceInvalidReportAggregation", "The aggregation is not valid for the report time period."),
    2008: ("ReportingServiceInvalidReportTimeSelection", "The report time is null or contains more than one time."),
    2009: ("ReportingServiceInvalidCustomDateRangeStart", "The custom date range start is not valid."),
    2010: ("ReportingServiceInvalidCustomDateRangeEnd", "The custom date range end is not valid."),
    2011: ("ReportingServiceEndDateBeforeStartDate", "The end date cannot be earlier than the start date."),
    2014: ("ReportingServiceNullColumns", "The list of columns cannot be null or empty."),
    2015: ("ReportingServiceRequiredColumnsNotSelected", "The list of columns must contain all required columns."),
    2016: ("ReportingServiceDuplicateColumns", "The list of columns contains duplicates."),
    2017: ("ReportingServiceNoMeasureSelected", "The request does not specify at least one measurement column."),
    2019: ("ReportingServiceInvalidCampaignIdInCampaignReportScope", "The scope has an invalid campaign identifier."),
    2022: ("ReportingServiceInvalidAdGroupIdInAdGroupReportScope", "The scope has an invalid ad group identifier."),
    2026: ("ReportingServiceInvalidAccountReportScope", "The account scope does not contain account identifiers."),
    2027: ("ReportingServiceInvalidAccountThruCampaignReportScope", "The scope contains values that are not valid."),
    2028: ("ReportingServiceInvalidAccountThruAdGroupReportScope", "The scope contains values that are not valid."),
    2029: ("ReportingServiceAccountsOverLimit", "The report scope contains too many accounts."),
    2030: ("ReportingServiceMaximumCampaignsLimitReached", "The report scope contains too many campaigns."),
    2031: ("ReportingServiceAdGroupsOverLimit", "The report scope contains too many ad groups."),
    2034: (
        "ReportingServiceInvalidTimePeriodColumnForSummaryReport",
        "The TimePeriod column cannot be specified with a summary aggregation.",
    ),
    2041: ("ReportingServiceInvalidFutureStartDate", "The specified report time start date is in the future."),
    2053: ("InvalidGrainForImpressionShareColumns", "The impression share columns are not available here."),
    2059: ("UnsuportedTimeGrain", "The report type does not support the specified time grain."),
    2060: ("InvalidFilterOrScopeValue", "Invalid filter or scope value."),
    2100: ("ReportingServiceInvalidReportId", "The report identifier is not valid."),
    2101: ("ReportingServiceReportNotFound", "The report was not found."),
}


class MicrosoftRefusal(Exception):
    """A fault by its numeric code. `details`: which values it is about. `status`: other than the code's own."""

    def __init__(self, code: int, details: str | None = None, *, status: int = 0) -> None:
        super().__init__(code, details)
        self.code, self.details, self.status = code, details, status

    def answer(self, *, named: bool = True) -> Response:
        """The fault as JSON. `named`: operation errors have a symbolic code, which Customer Management's lack."""
        if self.code in _OF_CALLS:
            status, name, message = _OF_CALLS[self.code]
            error = {"Code": self.code, "Detail": self.details, "ErrorCode": name, "Message": message}
            body = {"TrackingId": TRACKING_ID, "Type": "AdApiFaultDetail", "Errors": [error]}
            return json_answer(body, self.status or status)
        name, message = _OF_QUESTIONS[self.code]
        found = {"Code": self.code, "Details": self.details} | ({"ErrorCode": name} if named else {})
        fault = {"OperationErrors": [found | {"Message": message}], "BatchErrors": []}
        return json_answer({"TrackingId": TRACKING_ID, "Type": "ApiFaultDetail", **fault}, self.status or 400)


def bad_request(details: str) -> MicrosoftRefusal:
    """A body that the service cannot read as the request that it should be. No document says how that is refused."""
    return MicrosoftRefusal(100, details)
