using System.Net;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;

namespace EgpuFleet.Cli.Supervision;

/// <summary>Waits for the gateway to live and then for every node to be ready.</summary>
internal sealed class GatewayWatch(HttpClient http, TimeProvider clock)
{
    public async Task UntilLiveAsync(CancellationToken cancellationToken)
    {
        var start = clock.GetTimestamp();
        while (!await IsLiveAsync(cancellationToken))
        {
            if (clock.GetElapsedTime(start) > Limits.LiveTimeout)
                throw new FleetFailure(
                    $"The gateway did not answer within {Limits.LiveTimeout.TotalMinutes:0} minutes."
                );
            await Task.Delay(Limits.HealthInterval, clock, cancellationToken);
        }
    }

    /// <summary>Returns when every check is ok; each check is reported once, when it becomes ok.</summary>
    public async Task UntilReadyAsync(Action<ReadyCheck> passed, CancellationToken cancellationToken)
    {
        var start = clock.GetTimestamp();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (true)
        {
            var ready = await ReadyAsync(cancellationToken);
            foreach (var check in ready?.Checks.Where(check => check.Ok && seen.Add(check.Name)) ?? [])
                passed(check);
            if (ready is { Checks.Count: > 0 } && ready.Checks.All(check => check.Ok))
                return;
            if (clock.GetElapsedTime(start) > Limits.ReadyTimeout)
                throw NotReady(ready);
            await Task.Delay(Limits.HealthInterval, clock, cancellationToken);
        }
    }

    /// <summary>True when a gateway answers at all.</summary>
    public async Task<bool> IsLiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(new Uri(Routes.Live, UriKind.Relative), cancellationToken);
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task<ReadyInfo?> ReadyAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await new FleetClient(http).GetReadyAsync(cancellationToken);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static FleetFailure NotReady(ReadyInfo? ready)
    {
        var waiting = ready?.Checks.Where(check => !check.Ok).Select(check => $"{check.Name}: {check.Detail}") ?? [];
        return new FleetFailure(
            $"The fleet was not ready within {Limits.ReadyTimeout.TotalMinutes:0} minutes ({string.Join("; ", waiting)}).",
            "Look at ./fleet logs silo and ./fleet logs local-1."
        );
    }
}
