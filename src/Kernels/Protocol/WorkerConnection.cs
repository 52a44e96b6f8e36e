using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text.Json;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Noops;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>
/// One client of a worker. The first frame must be a good hello. From then on this reads frames and never waits for their
/// work; when the client is gone, its generations are cancelled.
/// </summary>
internal sealed partial class WorkerConnection : IAsyncDisposable
{
    private static readonly byte[] NoopsHeader = JsonSerializer.SerializeToUtf8Bytes(
        new ResponseHeader(0, Noops: true),
        ProtocolJson.Default.ResponseHeader
    );

    private readonly WorkerHost host;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly FrameStream frames;
    private readonly NoopLanes noops;
    private readonly ConcurrentDictionary<long, Task> running = new();
    private readonly ConcurrentDictionary<long, GenerateCall> generates = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public WorkerConnection(WorkerHost host, Socket socket, TimeProvider time, ILogger logger)
    {
        this.host = host;
        this.time = time;
        this.logger = logger;
        frames = new FrameStream(socket);
        noops = new NoopLanes(host.NoopFaults, time, answers => frames.WriteAsync(new Frame(NoopsHeader, answers)));
    }

    /// <summary>Whether it said a good hello.</summary>
    public bool Authenticated { get; private set; }

    public Task Ended => ended.Task;

    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            Authenticated = await HelloAsync(stopping);
            while (Authenticated && await frames.ReadAsync(Limits.BodyBytes, stopping) is { } frame)
                Dispatch(frame);
        }
        catch (EngineException exception)
        {
            LogViolation(exception);
            await AnswerAsync(new ResponseHeader(0, Error: WorkerError.From(exception)));
        }
        catch (Exception exception)
            when (exception is IOException or ObjectDisposedException or OperationCanceledException)
        {
            LogEnded(exception.Message);
        }
        finally
        {
            foreach (var generate in generates.Values)
                generate.Cancel();
            await noops.EndAsync();
            await Task.WhenAll(running.Values);
            ended.SetResult();
        }
    }

    public ValueTask DisposeAsync() => frames.DisposeAsync();

    private async Task<bool> HelloAsync(CancellationToken stopping)
    {
        using var timeout = new CancellationTokenSource(Limits.HelloTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token);
        if (await frames.ReadAsync(maxBodyBytes: 0, either.Token) is not { } frame)
            return false;
        var request = ProtocolJson.Read(frame.Header.Span, ProtocolJson.Default.RequestHeader);
        var hello =
            request.Verb == WorkerVerb.Hello
                ? ProtocolJson.Read(request.Params, ProtocolJson.Default.HelloParams)
                : throw new EngineException(EngineErrorClass.ProtocolViolation, "The first request must be hello.");
        if (!host.CredentialMatches(hello.Credential))
        {
            LogRefused();
            var refusal = new EngineException(
                EngineErrorClass.CredentialRefused,
                "This is not this worker's credential."
            );
            await AnswerAsync(new ResponseHeader(request.Id, Error: WorkerError.From(refusal)));
            return false;
        }
        if (hello.ProtocolVersion != WorkerClient.ProtocolVersion)
        {
            throw new EngineException(
                EngineErrorClass.ProtocolViolation,
                $"Protocol version {hello.ProtocolVersion} is not {WorkerClient.ProtocolVersion}.",
                hello.ProtocolVersion,
                WorkerClient.ProtocolVersion
            );
        }
        host.AgentArrived();
        var engine = host.Engine;
        var result = new HelloResult(
            Environment.ProcessId,
            engine.Identity.Name,
            engine.Identity.Version,
            engine.State,
            engine.Hashes
        );
        await AnswerAsync(WorkerRequest.Result(request.Id, result, ProtocolJson.Default.HelloResult));
        return true;
    }

    private void Dispatch(Frame frame)
    {
        var header = ProtocolJson.Read(frame.Header.Span, ProtocolJson.Default.RequestHeader);
        switch (header.Verb)
        {
            case WorkerVerb.Cancel:
                var cancel = ProtocolJson.Read(header.Params, ProtocolJson.Default.CancelParams);
                if (generates.TryGetValue(cancel.RequestId, out var cancelled))
                    cancelled.Cancel();
                return;
            case WorkerVerb.Credit:
                var credit = ProtocolJson.Read(header.Params, ProtocolJson.Default.CreditParams);
                if (generates.TryGetValue(credit.RequestId, out var allowed))
                    allowed.Add(credit.Tokens);
                return;
            case WorkerVerb.Noop:
                noops.Receive(frame.Body);
                return;
            case WorkerVerb.Hello:
                throw new EngineException(EngineErrorClass.ProtocolViolation, "A connection says hello once.");
            default:
                Start(header, frame.Body);
                return;
        }
    }

    private void Start(RequestHeader header, ReadOnlyMemory<byte> body)
    {
        if (running.Count >= Limits.RunningRequests)
            throw new EngineException(EngineErrorClass.ProtocolViolation, "Too many requests at once.");
        if (running.ContainsKey(header.Id))
            throw new EngineException(EngineErrorClass.ProtocolViolation, $"Request {header.Id} is running already.");
        if (header.Verb == WorkerVerb.Generate)
        {
            var parameters = ProtocolJson.Read(header.Params, ProtocolJson.Default.GenerateParams);
            generates[header.Id] = new GenerateCall(parameters.CreditTokens);
        }
        else if (header.Verb == WorkerVerb.Tune || header.Verb.IsTraining())
            generates[header.Id] = new GenerateCall(Limits.CreditTokens);
        // The entries are there before the work can end and before a cancel for it can be read.
        var work = new Task<Task>(() => RunRequestAsync(header, body));
        running[header.Id] = work.Unwrap();
        work.Start(TaskScheduler.Default);
    }

    private async Task RunRequestAsync(RequestHeader header, ReadOnlyMemory<byte> body)
    {
        generates.TryGetValue(header.Id, out var generate);
        using (generate)
        {
            await AnswerAsync(await new WorkerRequest(host.Engine, header, body, logger).RunAsync(frames, generate));
            generates.TryRemove(header.Id, out _);
        }
        running.TryRemove(header.Id, out _);
        if (header.Verb == WorkerVerb.Shutdown)
            host.Stop();
    }

    /// <summary>A client that is gone needs no answer; the reader sees its end.</summary>
    private async Task AnswerAsync(ResponseHeader? response)
    {
        if (response is null)
            return;
        try
        {
            await frames.WriteAsync(response);
        }
        catch (IOException exception)
        {
            LogEnded(exception.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "A hello with a wrong credential was refused")]
    private partial void LogRefused();

    [LoggerMessage(LogLevel.Warning, "The connection is closed")]
    private partial void LogViolation(Exception exception);

    [LoggerMessage(LogLevel.Debug, "The connection ended: {Reason}")]
    private partial void LogEnded(string reason);
}
