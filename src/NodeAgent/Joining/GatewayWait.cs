using System.Net;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.NodeAgent.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Polly.Timeout;

namespace EgpuFleet.NodeAgent.Joining;

/// <summary>
/// Holds the start of the silo until the gateway answers and knows this node: an agent may be started before the control
/// silo, and before somebody enrols it. Registered ahead of Orleans.
/// </summary>
internal sealed partial class GatewayWait(
    IHttpClientFactory clients,
    AgentOptions options,
    TimeProvider time,
    ILogger<GatewayWait> log
) : IHostedService
{
    private string Names => string.Join(", ", options.Gateways);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        string? said = null;
        while (await WhyNotYetAsync(cancellationToken) is { } reason)
        {
            if (reason != said)
                LogWaiting(Names, reason, options.JoinTimeout.TotalSeconds);
            said = reason;
            if (time.GetElapsedTime(started) > options.JoinTimeout)
            {
                throw new AgentStartException(
                    $"Gave up joining {Names} after {options.JoinTimeout.TotalSeconds:0} s: {reason}",
                    ExitCodes.NotJoined
                );
            }
            await Task.Delay(Limits.JoinRetryEvery, time, cancellationToken);
        }
        LogReached(Names);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<string?> WhyNotYetAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var client = clients.CreateClient(GatewayHttp.Name);
            using var response = await client.GetAsync(
                InternalRoutes.Membership,
                HttpCompletionOption.ResponseHeadersRead,
                cancellationToken
            );
            return response.StatusCode switch
            {
                HttpStatusCode.OK => null,
                HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden =>
                    "the gateway does not know this node's credential yet",
                var other => $"the gateway answers {(int)other}",
            };
        }
        catch (HttpRequestException e)
        {
            return e.Message;
        }
        catch (TimeoutRejectedException)
        {
            return "the gateway does not answer in time";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return "the gateway does not answer in time";
        }
    }
}
