using System.Text.Json;
using System.Threading.Channels;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Tinygrad.Child;

/// <summary>
/// One request that the child has not answered to the end. Its tokens come first, where it is a generate; its progress, where
/// it is a tune.
/// </summary>
internal sealed class ChildCall(long id)
{
    private readonly TaskCompletionSource<JsonElement> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<ChildToken> tokens = Channel.CreateUnbounded<ChildToken>(
        // As many as max_tokens at most, and the child is slower than who reads.
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true }
    );

    private readonly Channel<TuneProgress> progress = Channel.CreateUnbounded<TuneProgress>(
        // One for each kernel at most.
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true }
    );

    public long Id => id;

    public Task<JsonElement> Result => result.Task;

    public ChannelReader<ChildToken> Tokens => tokens.Reader;

    public ChannelReader<TuneProgress> Progress => progress.Reader;

    public void Take(ChildToken token) => tokens.Writer.TryWrite(token);

    public void Take(TuneProgress step) => progress.Writer.TryWrite(step);

    public void End(JsonElement answer)
    {
        tokens.Writer.TryComplete();
        progress.Writer.TryComplete();
        result.TrySetResult(answer);
    }

    public void Fail(EngineException exception)
    {
        tokens.Writer.TryComplete(exception);
        progress.Writer.TryComplete(exception);
        result.TrySetException(exception);
        // Whoever reads the tokens hears it there and may never look here.
        _ = result.Task.Exception;
    }
}
