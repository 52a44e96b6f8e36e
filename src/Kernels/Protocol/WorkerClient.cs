using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Noops;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>
/// The agent's end of one connection to a worker. Requests of any number of callers share it. Every failure is an
/// <see cref="EngineException"/>; when the worker dies, all pending requests end with
/// <see cref="EngineErrorClass.WorkerLost"/>, which is retryable.
/// </summary>
public sealed partial class WorkerClient : IAsyncDisposable
{
    public const int ProtocolVersion = 5;

    private readonly NetworkStream stream;
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly ConcurrentDictionary<long, PendingRequest> pending = new();
    private readonly TaskCompletionSource<WorkerClosed> closed = new(
        TaskCreationOptions.RunContinuationsAsynchronously
    );
    private readonly Task reading;
    private long lastId;
    private volatile WorkerClosed? ending;

    private WorkerClient(NetworkStream stream)
    {
        this.stream = stream;
        Noops = new NoopChannel(SendNoopsAsync);
        reading = Task.Run(ReadAllAsync, CancellationToken.None);
    }

    private static WorkerClosed FromThisSide { get; } = new(true, "Closed from this side.");

    /// <summary>Noops to and from the worker.</summary>
    public NoopChannel Noops { get; }

    /// <summary>What the worker said of itself at hello.</summary>
    public HelloResult Worker { get; private set; } = null!;

    /// <summary>Completes, never faults, when the connection has ended.</summary>
    public Task<WorkerClosed> Closed => closed.Task;

    /// <summary>Connects and says hello.</summary>
    /// <exception cref="EngineException">
    /// <see cref="EngineErrorClass.WorkerLost"/>: nobody listens there (yet);
    /// <see cref="EngineErrorClass.CredentialRefused"/>; <see cref="EngineErrorClass.InvalidRequest"/>: the path is too long.
    /// </exception>
    public static async Task<WorkerClient> ConnectAsync(
        string socketPath,
        string credential,
        CancellationToken cancellationToken = default
    )
    {
        var endPoint = WorkerSocket.EndPoint(socketPath);
        var socket = WorkerSocket.Create();
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken);
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw new EngineException(
                EngineErrorClass.WorkerLost,
                $"No worker listens at '{socketPath}': {exception.Message}",
                innerException: exception
            );
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        var client = new WorkerClient(new NetworkStream(socket, ownsSocket: true));
        try
        {
            var hello = Params(new HelloParams(credential, ProtocolVersion), ProtocolJson.Default.HelloParams);
            client.Worker = await client.CallAsync(
                WorkerVerb.Hello,
                hello,
                ProtocolJson.Default.HelloResult,
                cancellationToken
            );
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    public Task<EngineProbe> ProbeAsync(CancellationToken cancellationToken = default) =>
        CallAsync(WorkerVerb.Probe, null, ProtocolJson.Default.EngineProbe, cancellationToken);

    public Task<SelfTestReport> SelfTestAsync(CancellationToken cancellationToken = default) =>
        CallAsync(WorkerVerb.SelfTest, null, ProtocolJson.Default.SelfTestReport, cancellationToken);

    /// <summary>Loads a model, or returns the one already loaded from an equal spec.</summary>
    public Task<ModelInfo> LoadAsync(LoadSpec spec, CancellationToken cancellationToken = default) =>
        CallAsync(
            WorkerVerb.Load,
            Params(spec, ProtocolJson.Default.LoadSpec),
            ProtocolJson.Default.ModelInfo,
            cancellationToken
        );

    public Task<ModelInfo> WarmUpAsync(string contentHash, CancellationToken cancellationToken = default) =>
        CallAsync(WorkerVerb.WarmUp, Model(contentHash), ProtocolJson.Default.ModelInfo, cancellationToken);

    public Task<WorkerStats> StatsAsync(CancellationToken cancellationToken = default) =>
        CallAsync(WorkerVerb.Stats, null, ProtocolJson.Default.WorkerStats, cancellationToken);

    /// <summary>Frees the model; its running generations end as cancelled.</summary>
    public Task UnloadAsync(string contentHash, CancellationToken cancellationToken = default) =>
        CallAsync(WorkerVerb.Unload, Model(contentHash), ProtocolJson.Default.ModelParams, cancellationToken);

    /// <summary>Asks the worker to end; answered before the process does.</summary>
    public async Task ShutdownAsync(CancellationToken cancellationToken = default)
    {
        ending = FromThisSide;
        await CallAsync(WorkerVerb.Shutdown, null, ProtocolJson.Default.WorkerStats, cancellationToken);
    }

    /// <summary>
    /// Streams a generation. The last item carries the finish reason and the usage. When the token fires or the enumeration
    /// is left early, the worker is told to stop.
    /// </summary>
    /// <exception cref="EngineException">As of <see cref="IGenerator.GenerateAsync"/>, and <see cref="EngineErrorClass.WorkerLost"/>.</exception>
    /// <exception cref="OperationCanceledException">At once when <paramref name="cancellationToken"/> fires.</exception>
    public async IAsyncEnumerable<GeneratedToken> GenerateAsync(
        GenerateRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        var parameters = Params(
            new GenerateParams(request.ContentHash, request.Options, request.Priority, Limits.CreditTokens),
            ProtocolJson.Default.GenerateParams
        );
        var given = GenerateBody.Of(request);
        var body = JsonSerializer.SerializeToUtf8Bytes(given, ProtocolJson.Default.GenerateBody);
        using var call = Register();
        var finished = true;
        try
        {
            await SendAsync(
                new(call.Id, WorkerVerb.Generate, parameters, Activity.Current?.Id),
                body,
                cancellationToken
            );
            finished = false;
            var unread = 0;
            while (!finished)
            {
                var response = await call.NextAsync(cancellationToken);
                finished = response.Token is not { FinishReason: null };
                yield return response.Token ?? throw Unexpected(response);
                if (++unread < Limits.CreditTokens / 2 || finished)
                    continue;
                await TellAsync(
                    WorkerVerb.Credit,
                    Params(new CreditParams(call.Id, unread), ProtocolJson.Default.CreditParams)
                );
                unread = 0;
            }
        }
        finally
        {
            if (!finished)
                await TellAsync(
                    WorkerVerb.Cancel,
                    Params(new CancelParams(call.Id), ProtocolJson.Default.CancelParams)
                );
        }
    }

    /// <summary>
    /// Closes the connection to a worker that nothing is expected of any more: all that wait for it fail now, with
    /// <see cref="EngineErrorClass.WorkerLost"/>.
    /// </summary>
    public ValueTask GiveUpAsync(string reason)
    {
        ending = new WorkerClosed(false, reason);
        return DisposeAsync();
    }

    /// <summary>Closes the connection; the worker cancels its generations and keeps its models for a while.</summary>
    public async ValueTask DisposeAsync()
    {
        ending ??= FromThisSide;
        await stream.DisposeAsync();
        await reading;
        writing.Dispose();
    }

    private async Task<T> CallAsync<T>(
        WorkerVerb verb,
        JsonElement? parameters,
        JsonTypeInfo<T> type,
        CancellationToken cancellationToken,
        ReadOnlyMemory<byte> body = default
    )
        where T : class
    {
        using var call = Register();
        await SendAsync(new(call.Id, verb, parameters, Activity.Current?.Id), body, cancellationToken);
        var response = await call.NextAsync(cancellationToken);
        return ProtocolJson.Read(response.Result ?? throw Unexpected(response), type);
    }

    private Task SendNoopsAsync(ReadOnlyMemory<byte> body) =>
        SendAsync(new(Interlocked.Increment(ref lastId), WorkerVerb.Noop), body, CancellationToken.None);

    private PendingRequest Register()
    {
        var request = new PendingRequest(Interlocked.Increment(ref lastId), pending);
        if (closed.Task.IsCompleted)
            request.Fail(Lost());
        return request;
    }

    /// <summary>Sends what is not answered. That the connection is gone shows at the reader.</summary>
    private async Task TellAsync(WorkerVerb verb, JsonElement parameters)
    {
        try
        {
            await SendAsync(new(Interlocked.Increment(ref lastId), verb, parameters), default, CancellationToken.None);
        }
        catch (EngineException exception) when (exception.ErrorClass == EngineErrorClass.WorkerLost) { }
    }

    private async Task SendAsync(RequestHeader header, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(header, ProtocolJson.Default.RequestHeader);
        try
        {
            await writing.WaitAsync(cancellationToken);
            try
            {
                // A frame is written whole or the connection is useless: the caller's token must not cut it.
                await FrameCodec.WriteAsync(stream, new Frame(json, body), CancellationToken.None);
            }
            finally
            {
                writing.Release();
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            throw new EngineException(EngineErrorClass.WorkerLost, $"The worker is gone: {exception.Message}");
        }
    }

    private async Task ReadAllAsync()
    {
        var reason = "The worker closed the connection.";
        try
        {
            while (await FrameCodec.ReadAsync(stream) is { } frame)
            {
                var response = ProtocolJson.Read(frame.Header.Span, ProtocolJson.Default.ResponseHeader);
                if (response.Noops is true)
                    Noops.Receive(frame.Body.Span);
                else if (pending.TryGetValue(response.Id, out var request) && !request.TryPost(response))
                    throw new EngineException(
                        EngineErrorClass.ProtocolViolation,
                        "More token frames than were allowed."
                    );
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or EngineException)
        {
            reason = $"The connection to the worker failed: {exception.Message}";
        }
        closed.SetResult(ending ?? new(false, reason));
        foreach (var request in pending.Values)
            request.Fail(Lost());
        await stream.DisposeAsync();
    }

    private EngineException Lost() => new(EngineErrorClass.WorkerLost, closed.Task.Result.Reason);

    private static EngineException Unexpected(ResponseHeader response) =>
        response.Error?.ToException()
        ?? new EngineException(EngineErrorClass.ProtocolViolation, "The worker answered with a frame of another kind.");

    private static JsonElement Model(string contentHash) =>
        Params(new ModelParams(contentHash), ProtocolJson.Default.ModelParams);

    private static JsonElement Params<T>(T parameters, JsonTypeInfo<T> type) =>
        JsonSerializer.SerializeToElement(parameters, type);
}
