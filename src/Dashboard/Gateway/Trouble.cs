using System.Net;
using System.Text.Json;
using EgpuFleet.Api;

namespace EgpuFleet.Dashboard.Gateway;

/// <summary>An error as a person needs it: what happened, what to do, and a command to copy where one helps.</summary>
/// <param name="Expected">False where the dashboard itself is at fault and the log must have the details.</param>
public sealed record Trouble(string What, string Action, string? Command = null, bool Expected = true)
{
    public static Trouble Of(Exception exception) =>
        exception switch
        {
            FleetApiException { Status: HttpStatusCode.NotFound } api => new(
                api.Message,
                "It may have been removed, or the link may be wrong."
            ),
            FleetApiException { Status: HttpStatusCode.ServiceUnavailable } api => new(
                $"The fleet is not ready: {api.Message}",
                "This page tries again by itself. See what is missing:",
                "./fleet nodes"
            ),
            FleetApiException api when (int)api.Status >= 500 => new(
                $"The gateway failed ({(int)api.Status}): {api.Message}",
                "This page tries again by itself. The reason is in the silo's log:",
                "./fleet logs"
            ),
            FleetApiException api => new(api.Message, "Change the request and try again."),
            HttpRequestException => new(
                "The gateway does not answer.",
                "This page tries again by itself. Is the fleet running?",
                "./fleet up"
            ),
            OperationCanceledException => new(
                $"The gateway did not answer within {Limits.Call.TotalSeconds:0} seconds.",
                "This page tries again by itself. If it goes on, look at the silo's log:",
                "./fleet logs"
            ),
            IOException => new("The connection to the gateway broke.", "This page connects again by itself."),
            JsonException => new(
                "The gateway gave an answer that this dashboard cannot read.",
                "The two may be of different versions: restart the fleet after an update.",
                "./fleet up",
                Expected: false
            ),
            _ => new(
                $"The dashboard failed: {exception.Message}",
                "This page tries again by itself. The details are in the silo's log:",
                "./fleet logs",
                Expected: false
            ),
        };
}
