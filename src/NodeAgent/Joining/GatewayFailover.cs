using System.Net;

namespace EgpuFleet.NodeAgent.Joining;

/// <summary>
/// Sends a request to the gateway that answered last, and at once to the next one when that is not there, does not answer
/// in its share of the time, is not ready, or lacks what is asked for: a model file lies where it was received. The answer
/// is the first good one, else the last one.
/// </summary>
/// <param name="patience">For the headers of an answer, of all gateways together.</param>
public sealed class GatewayFailover(GatewayChoice gateways, TimeSpan patience, HttpMessageHandler inner)
    : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        var asked = request.RequestUri!;
        var left = gateways.Count;
        foreach (var gateway in gateways.InOrder())
        {
            left--;
            request.RequestUri = new Uri(gateway, asked.PathAndQuery);
            if (await TryAsync(request, isLast: left == 0, cancellationToken) is not { } response)
                continue;
            if (left > 0 && IsElsewherePerhaps(response.StatusCode))
            {
                response.Dispose();
                continue;
            }
            if (!IsElsewherePerhaps(response.StatusCode))
                gateways.Answered(gateway);
            return response;
        }
        throw new HttpRequestException("No gateway is configured.");
    }

    /// <summary>Null: not there, or too slow; ask the next one.</summary>
    private async Task<HttpResponseMessage?> TryAsync(
        HttpRequestMessage request,
        bool isLast,
        CancellationToken cancellationToken
    )
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience / gateways.Count);
        try
        {
            return await base.SendAsync(request, limit.Token);
        }
        catch (HttpRequestException) when (!isLast)
        {
            return null;
        }
        catch (OperationCanceledException) when (!isLast && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private static bool IsElsewherePerhaps(HttpStatusCode status) =>
        status is HttpStatusCode.NotFound || (int)status >= 500;
}
