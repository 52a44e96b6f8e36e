using EgpuFleet.Api;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>Tuned kernels: what is known for which devices.</summary>
public static class TuningRoutes
{
    public static void MapTunings(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(Routes.Tunings, ListAsync)
            .WithTags("tunings")
            .Produces<Page<TuningInfo>>()
            .WithSummary("Tuned kernels by class of devices");

    private static async Task<Page<TuningInfo>> ListAsync(ITuningStore store, CancellationToken cancellationToken)
    {
        var classes = await store.ListAsync(cancellationToken);
        return Pages.Of(
            [
                .. classes.Select(one => new TuningInfo(
                    one.Class.Device,
                    one.Class.EngineVersion,
                    one.Kernels,
                    one.BestSpeedup,
                    one.At
                )),
            ],
            one => $"{one.DeviceClass} {one.EngineVersion}"
        );
    }
}
