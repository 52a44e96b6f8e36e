using System.Text.Json;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Protocol;

public sealed partial class WorkerClient
{
    /// <summary>The vector of a text.</summary>
    /// <exception cref="EngineException">As of <see cref="IModelShard.EmbedAsync"/>, and <see cref="EngineErrorClass.WorkerLost"/>.</exception>
    public Task<Embedding> EmbedAsync(string contentHash, Prompt text, CancellationToken cancellationToken = default) =>
        CallAsync(
            WorkerVerb.Embed,
            Model(contentHash),
            ProtocolJson.Default.Embedding,
            cancellationToken,
            JsonSerializer.SerializeToUtf8Bytes(new EmbedBody(text), ProtocolJson.Default.EmbedBody)
        );
}
