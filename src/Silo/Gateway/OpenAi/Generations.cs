using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Interfaces.Serving;
using Orleans.Runtime;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>
/// Interactive work: the pool names a device, the device streams. A device that fails before its first chunk is
/// left out and another one is tried; after the first chunk the failure is the caller's to see, because text that was
/// sent cannot be taken back. While the pool has no leader (its database is away, say) the device that served a model last
/// goes on serving it.
/// </summary>
public sealed class Generations(Fleet fleet, TimeProvider time)
{
    // One device for each registered model at most.
    private readonly ConcurrentDictionary<ModelRef, DeviceId> served = new();

    /// <summary>The chunks, the last of which has a finish reason. Leaving the stream cancels the generation.</summary>
    /// <param name="choice">On what kind of device.</param>
    /// <param name="placed">Told of each device before it is asked.</param>
    public IAsyncEnumerable<TokenChunk> RunAsync(
        ModelRecord model,
        GenerateRequest request,
        DeviceChoice choice,
        Action<RoutePlacement> placed,
        CancellationToken cancellationToken
    ) =>
        StreamAsync(
            new RouteRequest(
                model,
                [],
                PromptLength.Of(request),
                request.Parameters.MaxTokens,
                choice,
                IsSteered: request.Parameters.IsSteered
            ),
            (device, leaving) => fleet.Device(device).Generate(request, leaving),
            chunk => chunk.Index,
            placed,
            cancellationToken
        );

    /// <summary>The vectors of texts, in their order.</summary>
    /// <inheritdoc cref="RunAsync"/>
    public IAsyncEnumerable<TextVector> EmbedAsync(
        ModelRecord model,
        EmbedRequest request,
        DeviceChoice choice,
        Action<RoutePlacement> placed,
        CancellationToken cancellationToken
    ) =>
        StreamAsync(
            // The engine that steers is the one that makes vectors.
            new RouteRequest(model, [], PromptLength.Of(request), 1, choice, IsSteered: true),
            (device, leaving) => fleet.Device(device).Embed(request, leaving),
            vector => vector.Index,
            placed,
            cancellationToken
        );

    private async IAsyncEnumerable<T> StreamAsync<T>(
        RouteRequest request,
        Func<DeviceId, CancellationToken, IAsyncEnumerable<T>> ask,
        Func<T, int> indexOf,
        Action<RoutePlacement> placed,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Limits.LoadWait);
        var failed = new List<DeviceId>();
        Exception? failure = null;
        while (true)
        {
            var placement = await RouteAsync(request with { Except = failed }, failure, cancellationToken);
            placed(placement);
            var device = placement.Device;
            await using var chunks = ask(device, patience.Token).GetAsyncEnumerator(patience.Token);
            var more = false;
            try
            {
                more = await chunks.MoveNextAsync();
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw Impatient(request.Model);
            }
            catch (Exception e) when (failed.Count + 1 < Limits.RouteAttempts && MayWorkElsewhere(e))
            {
                failed.Add(device);
                failure = e;
                continue;
            }
            // The model is loaded and speaks: from here the caller alone decides how long it may take.
            patience.CancelAfter(Timeout.InfiniteTimeSpan);
            served[request.Model.Ref] = device;
            for (var index = 0; more; index++)
            {
                if (indexOf(chunks.Current) != index)
                    throw GatewayException.Unavailable(
                        "stream_broken",
                        $"A part of the answer of {device} is missing."
                    );
                yield return chunks.Current;
                more = await chunks.MoveNextAsync();
            }
            yield break;
        }
    }

    private async Task<RoutePlacement> RouteAsync(
        RouteRequest request,
        Exception? failure,
        CancellationToken cancellationToken
    )
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var reply = await AskAsync(request, cancellationToken);
            if (reply.Placement is { } placement)
                return placement;
            if (failure is not null)
                throw ErrorBoundary.Classify(failure);
            var refusal =
                reply.Refusal ?? new Refusal(RefusalCode.NoMatchingDevice, "The pool names no device for this model.");
            if (WorthWaiting(refusal.Code) == TimeSpan.Zero)
                throw new GatewayException(
                    HttpStatusCode.UnprocessableEntity,
                    refusal.Code.ToString(),
                    Sentence(refusal)
                );
            if (time.GetElapsedTime(started) > WorthWaiting(refusal.Code))
                throw GatewayException.Unavailable(refusal.Code.ToString(), Sentence(refusal));
            await Task.Delay(Limits.RouteInterval, time, cancellationToken);
        }
    }

    private async Task<RouteReply> AskAsync(RouteRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await fleet.Pool.Route(request).WaitAsync(Limits.SubmitWait, time, cancellationToken);
        }
        catch (Exception e)
            when (e is PoolUnavailableException or TimeoutException or OrleansException
                && request.Choice?.Require is null
                && !request.IsSteered
                && served.TryGetValue(request.Model.Ref, out var last)
                && !request.Except.Contains(last)
            )
        {
            return new RouteReply(new RoutePlacement(last), null);
        }
    }

    private static TimeSpan WorthWaiting(RefusalCode code) =>
        code switch
        {
            RefusalCode.ModelTooLarge or RefusalCode.TooLarge or RefusalCode.ModelNotFound => TimeSpan.Zero,
            RefusalCode.NoMatchingDevice => Limits.DeviceWait,
            _ => Limits.LoadWait,
        };

    private static bool MayWorkElsewhere(Exception e) =>
        e
            is GenerationException { Retryable: true }
                or NodeOfflineException
                or SiloUnavailableException
                or OrleansException
                or EnumerationAbortedException
                or TimeoutException;

    private static string Sentence(Refusal refusal) =>
        refusal.Action is null ? refusal.Message : $"{refusal.Message} {refusal.Action}";

    private static GatewayException Impatient(ModelRecord model) =>
        GatewayException.Unavailable(
            "model_loading",
            $"{model.Ref.Name} gave no token within {Limits.LoadWait.TotalSeconds:0} s; it may still be loading."
        );
}
