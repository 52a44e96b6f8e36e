using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>Chooses the device for one interactive request; a device that runs a batch shard serves requests beside it.</summary>
public static class Router
{
    /// <summary>Tokens of an answer whose request does not bound it: what people usually get.</summary>
    private const int UsualOutputTokens = 256;

    /// <summary>
    /// Of the ready devices that fit: those of the kind preferred, then the one that is predicted to end this request first.
    /// A device of which nothing is measured counts as the mean of the others; where none is measured, one that has the model
    /// loaded, then the one with the fewest sequences.
    /// </summary>
    public static RouteReply Route(ImmutableArray<DeviceSlot> devices, RouteRequest request)
    {
        var model = request.Model;
        var choice = request.Choice ?? DeviceChoice.Any;
        var remaining = devices.Where(device => !request.Except.Contains(device.Id)).ToImmutableArray();
        var candidates = remaining
            .Where(device =>
                device.Ready
                && DevicePreference.Allows(choice, device)
                && Serves(device, request)
                && Feasibility.FitsNow(device, model)
            )
            .Select(device => (Device: device, Seconds: Predict(device, request)))
            .ToList();
        if (candidates.Count == 0)
            return new RouteReply(Placement: null, Explain(remaining, request, choice));
        var assumed = candidates.Average(candidate => candidate.Seconds) ?? 0;
        var (best, seconds) = candidates
            .OrderByDescending(candidate => DevicePreference.Prefers(choice, candidate.Device))
            .ThenBy(candidate => candidate.Seconds ?? assumed)
            .ThenByDescending(candidate => candidate.Device.LoadedModels.Contains(model.Ref.Sha256))
            .ThenBy(candidate => candidate.Device.ActiveSequences)
            .ThenBy(candidate => candidate.Device.Leased || candidate.Device.HeldBack)
            .ThenByDescending(candidate => candidate.Device.TokensPerSecond)
            .ThenBy(candidate => candidate.Device.Id.ToString(), StringComparer.Ordinal)
            .First();
        var fallback = DevicePreference.FallbackOf(
            choice,
            best,
            remaining,
            device => Serves(device, request) && Feasibility.FitsNow(device, model)
        );
        return new RouteReply(new RoutePlacement(best.Id, best.Kind, best.Engine, seconds, fallback), Refusal: null);
    }

    private static bool Serves(DeviceSlot device, RouteRequest request) =>
        Feasibility.Serves(device, request.Model) && Steers(device, request);

    private static bool Steers(DeviceSlot device, RouteRequest request) =>
        !request.IsSteered || device.Engine == GenerationParameters.SteeringEngine;

    private static double? Predict(DeviceSlot device, RouteRequest request) =>
        ServiceTime.Predict(
            device,
            request.Model,
            Math.Max(request.PromptTokens, 1),
            Math.Max(request.OutputTokens ?? UsualOutputTokens, 1)
        );

    private static Refusal Explain(ImmutableArray<DeviceSlot> devices, RouteRequest request, DeviceChoice choice)
    {
        var able = devices.Where(device => Steers(device, request)).ToImmutableArray();
        if (devices.Any(device => device.Ready) && !able.Any(device => device.Ready))
            return new Refusal(
                RefusalCode.NoMatchingDevice,
                $"No device is ready under the engine {GenerationParameters.SteeringEngine}, which alone holds answers to a format, penalises repetition and takes logit_bias.",
                "See `fleet devices`; a processor and a Mac's own GPU are driven by that engine."
            );
        var asJob = new WaitingJob(default, 0, 0, request.Model, [], 0, 0, 1, Devices: choice);
        return Feasibility.Explain(asJob, new FleetSnapshot(able, [asJob], new PolicyOptions()));
    }
}
