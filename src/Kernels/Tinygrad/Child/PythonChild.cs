using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Kernels.Tinygrad.Child;

/// <summary>
/// The Python process that owns the device, spoken to over its standard streams: frames as in <see cref="FrameCodec"/>,
/// token ids for prompts. It ends by itself, closing the device, when its input ends, however this process ended.
/// </summary>
internal sealed class PythonChild : IAsyncDisposable
{
    private readonly Process process;
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly ConcurrentDictionary<long, ChildCall> calls = new();
    private readonly CancellationTokenSource ended = new();
    private readonly Task reading;
    private long lastId;
    private volatile bool stopping;
    private EngineException? end;

    private PythonChild(Process process)
    {
        this.process = process;
        reading = Task.Run(ReadAsync);
    }

    /// <summary>Fires when the child has ended without being asked to.</summary>
    public CancellationToken Ended => ended.Token;

    /// <exception cref="EngineException"><see cref="EngineErrorClass.EngineUnavailable"/>: it cannot be started.</exception>
    public static async Task<PythonChild> StartAsync(ChildLaunch launch, CancellationToken cancellationToken) =>
        new(await launch.StartAsync(cancellationToken));

    /// <summary>Asks for one thing and waits for the answer.</summary>
    /// <exception cref="EngineException">The child refuses, or is gone.</exception>
    public async Task<TResult> AskAsync<TParams, TResult>(
        string verb,
        TParams parameters,
        JsonTypeInfo<TParams> parametersType,
        JsonTypeInfo<TResult> resultType,
        CancellationToken cancellationToken
    )
        where TResult : class
    {
        var call = await BeginAsync(verb, parameters, parametersType, body: default, cancellationToken);
        return ProtocolJson.Read(await call.Result.WaitAsync(cancellationToken), resultType);
    }

    /// <inheritdoc cref="AskAsync{TParams, TResult}"/>
    public async Task<TResult> AskAsync<TResult>(
        string verb,
        JsonTypeInfo<TResult> resultType,
        CancellationToken cancellationToken
    )
        where TResult : class
    {
        var call = await SendAsync(verb, null, default, cancellationToken);
        return ProtocolJson.Read(await call.Result.WaitAsync(cancellationToken), resultType);
    }

    /// <inheritdoc cref="AskAsync{TParams, TResult}"/>
    /// <param name="body">Of the frame.</param>
    public async Task<TResult> AskAsync<TResult>(
        string verb,
        ReadOnlyMemory<byte> body,
        JsonTypeInfo<TResult> resultType,
        CancellationToken cancellationToken
    )
        where TResult : class
    {
        var call = await SendAsync(verb, null, body, cancellationToken);
        return ProtocolJson.Read(await call.Result.WaitAsync(cancellationToken), resultType);
    }

    /// <summary>Sends a request; its tokens and its result come by the call.</summary>
    /// <param name="body">Of the frame.</param>
    /// <exception cref="EngineException">The child is gone.</exception>
    public Task<ChildCall> BeginAsync<TParams>(
        string verb,
        TParams parameters,
        JsonTypeInfo<TParams> parametersType,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken
    ) => SendAsync(verb, JsonSerializer.SerializeToElement(parameters, parametersType), body, cancellationToken);

    /// <summary>Ends what runs for a call, which hears of it. A child that is gone does nothing more either.</summary>
    public async Task CancelAsync(ChildCall call)
    {
        var parameters = JsonSerializer.SerializeToElement(new ChildCancel(call.Id), ChildJson.Default.ChildCancel);
        try
        {
            await WriteAsync(new ChildRequest(NextId(), "cancel", parameters), default, CancellationToken.None);
        }
        catch (EngineException gone) when (gone.ErrorClass == EngineErrorClass.WorkerLost)
        {
            // The call was told so.
        }
    }

    /// <summary>Token ids as a body: 32 bits each, little-endian.</summary>
    public static byte[] Body(ReadOnlySpan<int> ids)
    {
        var bytes = new byte[ids.Length * sizeof(int)];
        for (var i = 0; i < ids.Length; i++)
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i * sizeof(int)), ids[i]);
        return bytes;
    }

    /// <summary>Ends the child's input: it closes the device and ends.</summary>
    public void Stop()
    {
        stopping = true;
        process.StandardInput.Close();
    }

    /// <summary>Ends the child: by its input first, so that it closes the device; by force when it does not end in time.</summary>
    public async ValueTask DisposeAsync()
    {
        Stop();
        using var limit = new CancellationTokenSource(Limits.ChildStopTimeout);
        await process
            .WaitForExitAsync(limit.Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        await reading;
        process.Dispose();
        writing.Dispose();
        ended.Dispose();
    }

    private long NextId() => Interlocked.Increment(ref lastId);

    private async Task<ChildCall> SendAsync(
        string verb,
        JsonElement? parameters,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken
    )
    {
        var call = new ChildCall(NextId());
        calls[call.Id] = call;
        // After it is known: an end that came before has failed all that were known then.
        if (end is { } gone)
        {
            calls.TryRemove(call.Id, out _);
            throw gone;
        }
        await WriteAsync(new ChildRequest(call.Id, verb, parameters), body, cancellationToken);
        return call;
    }

    private async Task WriteAsync(ChildRequest request, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        var header = JsonSerializer.SerializeToUtf8Bytes(request, ChildJson.Default.ChildRequest);
        await writing.WaitAsync(cancellationToken);
        try
        {
            // Not cancelled in the middle of a frame: the rest of the stream would make no sense.
            await FrameCodec.WriteAsync(
                process.StandardInput.BaseStream,
                new Frame(header, body),
                CancellationToken.None
            );
            await process.StandardInput.BaseStream.FlushAsync(CancellationToken.None);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The reader finds out why, and tells everyone who waits.
            await reading;
            throw end ?? Lost("it takes no more requests");
        }
        finally
        {
            writing.Release();
        }
    }

    private async Task ReadAsync()
    {
        var why = "its output ended";
        try
        {
            while (await FrameCodec.ReadAsync(process.StandardOutput.BaseStream) is { } frame)
                Take(ProtocolJson.Read(frame.Header.Span, ChildJson.Default.ChildResponse));
        }
        catch (Exception exception) when (exception is EngineException or IOException)
        {
            why = exception.Message;
            process.Kill(entireProcessTree: true);
        }
        await process.WaitForExitAsync();
        end = Lost($"status {process.ExitCode}, {why}");
        foreach (var call in calls.Values)
            call.Fail(end);
        calls.Clear();
        if (!stopping)
            await ended.CancelAsync();
    }

    private void Take(ChildResponse response)
    {
        if (!calls.TryGetValue(response.Id, out var call))
        {
            if (response.Error is { } error)
                throw error.ToException();
            return;
        }
        if (response.Token is { } token)
        {
            call.Take(token);
            return;
        }
        if (response.Progress is { } step)
        {
            call.Take(step);
            return;
        }
        calls.TryRemove(response.Id, out _);
        if (response.Error is { } failed)
            call.Fail(failed.ToException());
        else if (response.Result is { } result)
            call.End(result);
        else
            throw Violation("an answer that says nothing");
    }

    private static EngineException Lost(string why) =>
        new(
            EngineErrorClass.WorkerLost,
            $"The Python process has ended: {why}. Its last words are in the worker's log."
        );

    private static EngineException Violation(string why) =>
        new(EngineErrorClass.ProtocolViolation, $"The Python process breaks the protocol: {why}");
}
