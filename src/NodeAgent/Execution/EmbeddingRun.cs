using System.Runtime.CompilerServices;
using System.Threading.Channels;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Models;
using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>Makes the vectors of one request: many are asked of the worker at once, which computes them together.</summary>
/// <param name="worker">Null: none is ready.</param>
internal sealed class EmbeddingRun(WorkerProcess? worker, LoadedModels models, EmbedRequest request)
{
    /// <exception cref="GenerationException">It cannot be done, or not here.</exception>
    public async IAsyncEnumerable<TextVector> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var vectors = Channel.CreateBounded<Task<Embedding>>(Limits.EmbeddingsAtOnce);
        var work = Task.Run(() => AskAsync(vectors.Writer, leaving.Token), CancellationToken.None);
        try
        {
            var index = 0;
            await foreach (var vector in vectors.Reader.ReadAllAsync(cancellationToken))
            {
                var made = await MadeAsync(vector);
                yield return new TextVector(index++, made.Vector, made.Tokens);
            }
        }
        finally
        {
            await leaving.CancelAsync();
            await work;
        }
    }

    /// <summary>Never faults: its failure completes the channel.</summary>
    private async Task AskAsync(ChannelWriter<Task<Embedding>> vectors, CancellationToken cancellationToken)
    {
        try
        {
            var on =
                worker
                ?? throw new GenerationException(
                    "device_not_ready",
                    "The device has no ready worker.",
                    retryable: true
                );
            using var model = await models.AcquireAsync(request.Model, on, cancellationToken);
            var asked = new List<Task<Embedding>>(request.Texts.Length);
            foreach (var text in request.Texts)
            {
                var prompt = Prompts.Of(text.Text, text.TokenIds, null);
                // No more are asked than have room to be told.
                await vectors.WaitToWriteAsync(cancellationToken);
                asked.Add(on.Client.EmbedAsync(request.Model.Sha256, prompt, cancellationToken));
                await vectors.WriteAsync(asked[^1], cancellationToken);
            }
            vectors.Complete();
            // The model stays loaded until all are made; what fails is told by the one that did.
            Task all = Task.WhenAll(asked);
            await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (EngineException e)
        {
            vectors.TryComplete(EngineErrors.ToGeneration(e));
        }
        catch (Exception e) when (e is GenerationException or OperationCanceledException)
        {
            vectors.TryComplete(e);
        }
    }

    private static async Task<Embedding> MadeAsync(Task<Embedding> vector)
    {
        try
        {
            return await vector;
        }
        catch (EngineException e)
        {
            throw EngineErrors.ToGeneration(e);
        }
    }
}
