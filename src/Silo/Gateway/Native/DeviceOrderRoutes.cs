using System.Text.Json;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces.Fleet;
using Microsoft.AspNetCore.Http.Features;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>
/// Eject, attach, clear, measure, rehearse: what an owner wants of a device. Each may be repeated: a device that is already so is
/// answered as it is. One whose state does not allow it is a 409 that names the state.
/// </summary>
internal static class DeviceOrderRoutes
{
    public static void MapOrders(RouteGroupBuilder devices)
    {
        Map("eject", "Make a device safe to unplug; its work runs elsewhere", DeviceVerb.Eject);
        Map("attach", "Take an ejection back", DeviceVerb.Attach);
        Map("clear", "End a quarantine: what was wrong is mended", DeviceVerb.Clear);
        Map("bench", "Measure a device that has nothing to do; the device tells how far that is", DeviceVerb.Bench);
        devices
            .MapPost("{node}/{device}/rehearse", RehearseAsync)
            .Accepts<RehearsalRequest>("application/json")
            .Produces<DeviceInfo>()
            .ProducesProblem(StatusCodes.Status409Conflict)
            .WithSummary("Play a pulled cable: the worker is killed, the device gone for some seconds");

        void Map(string verb, string summary, DeviceVerb order) =>
            devices
                .MapPost(
                    $"{{node}}/{{device}}/{verb}",
                    (string node, string device, HttpContext context, DeviceOrdering ordering) =>
                        ordering.CarryOutAsync($"{node}/{device}", order, TimeSpan.Zero, context)
                )
                .Produces<DeviceInfo>()
                .ProducesProblem(StatusCodes.Status409Conflict)
                .WithSummary(summary);
    }

    private static async Task<DeviceInfo> RehearseAsync(
        string node,
        string device,
        HttpContext context,
        DeviceOrdering ordering,
        CancellationToken cancellationToken
    )
    {
        var asked = await ReadAsync(context, cancellationToken);
        if (asked.Seconds is not (>= 1 and <= Limits.RehearsalSeconds))
            throw GatewayException.Invalid("seconds", $"must be from 1 to {Limits.RehearsalSeconds}.");
        var id = $"{node}/{device}";
        if (!asked.Force)
            await ordering.CheckNotTheOnlyOneAsync(id);
        return await ordering.CarryOutAsync(id, DeviceVerb.Rehearse, TimeSpan.FromSeconds(asked.Seconds), context);
    }

    /// <summary>Without a body: the defaults.</summary>
    private static async Task<RehearsalRequest> ReadAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: true })
            return new RehearsalRequest();
        return await JsonSerializer.DeserializeAsync<RehearsalRequest>(
                context.Request.Body,
                ApiJson.Options,
                cancellationToken
            ) ?? throw GatewayException.BadRequest("invalid_json", "The body is not a rehearsal.");
    }
}
