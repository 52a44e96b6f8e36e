using System.Net;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Chat;
using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>What the registry is told of a model file, which is hostile until it was read here.</summary>
public sealed class ModelReading(Fleet fleet, ModelStore store, TimeProvider time)
{
    /// <summary>The record of a model, or of an adapter of a registered model; its hash is left empty.</summary>
    /// <param name="file">Seekable.</param>
    /// <exception cref="GatewayException">422: it is neither, or an adapter whose base is not registered or not this one.</exception>
    public async Task<ModelRecord> ReadAsync(string name, Stream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        file.Position = 0;
        try
        {
            var reader = GgufReader.Open(file);
            return GgufAdapter.IsOne(reader)
                ? await OfAdapterAsync(name, file.Length, reader)
                : OfModel(name, file.Length, reader);
        }
        catch (GgufException e)
        {
            throw new GatewayException(HttpStatusCode.UnprocessableEntity, e.Code, e.Message);
        }
        catch (AdapterException e)
        {
            throw new GatewayException(HttpStatusCode.UnprocessableEntity, e.Code, e.Message);
        }
    }

    private ModelRecord OfModel(string name, long size, GgufReader reader)
    {
        var facts = GgufModelFacts.From(reader);
        return new(
            new ModelRef(name, "", size),
            facts.Architecture,
            facts.FileType,
            facts.Parameters,
            facts.ContextLength,
            facts.WeightBytes,
            facts.KvBytesPerTokenF32,
            facts.HasChatTemplate,
            time.GetUtcNow(),
            facts.Layers,
            Words: ChatTemplate.SourceOf(reader.Metadata) is { } template ? TemplateWords.Of(template) : null
        );
    }

    private async Task<ModelRecord> OfAdapterAsync(string name, long size, GgufReader reader)
    {
        var sha256 = GgufAdapter.From(reader).BaseSha256;
        var known = await fleet.Models.FindContent(sha256);
        if (known is null || store.Find(sha256) is not { } path)
        {
            throw new GatewayException(
                HttpStatusCode.UnprocessableEntity,
                "adapter_base_unknown",
                $"The adapter's base model {sha256} is not registered; register its GGUF first."
            );
        }
        await using var model = File.OpenRead(path);
        var facts = GgufAdapter.For(reader, GgufReader.Open(model), sha256);
        return known with
        {
            Ref = new ModelRef(name, "", size, known.Ref),
            ParameterCount = known.ParameterCount + facts.Parameters,
            WeightBytes = known.WeightBytes + facts.Bytes,
            BaseWeightBytes = known.WeightBytes,
            CreatedAt = time.GetUtcNow(),
        };
    }
}
