using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Engines;

/// <summary>What our own reader says of a GGUF, before an engine, which trusts files more than it should, sees it.</summary>
/// <param name="Facts">Shape and sizes.</param>
/// <param name="AllF32">Whether every tensor is F32, as the exact profile needs.</param>
/// <param name="ChatTemplate">Its Jinja text; null: it has none.</param>
internal sealed record ModelFile(GgufModelFacts Facts, bool AllF32, string? ChatTemplate)
{
    /// <exception cref="EngineException"><see cref="EngineErrorClass.ModelInvalid"/>.</exception>
    public static ModelFile Read(string path) => Read(path, Of);

    /// <summary>Reads something of a file; whatever is wrong with it is one failure.</summary>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.ModelInvalid"/>.</exception>
    public static T Read<T>(string path, Func<GgufReader, T> read)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return read(GgufReader.Open(stream));
        }
        catch (Exception exception)
            when (exception is GgufException or AdapterException or IOException or UnauthorizedAccessException)
        {
            throw new EngineException(EngineErrorClass.ModelInvalid, exception.Message, innerException: exception);
        }
    }

    /// <exception cref="GgufException">The header contradicts itself.</exception>
    public static ModelFile Of(GgufReader reader) =>
        new(
            GgufModelFacts.From(reader),
            reader.Tensors.All(tensor => tensor.Type == GgufTensorType.F32),
            Formats.Chat.ChatTemplate.SourceOf(reader.Metadata)
        );

    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>: exact is asked for and cannot be.</exception>
    public void RequireExactable(LoadSpec spec)
    {
        if (spec.Exact is true && !AllF32)
            throw new EngineException(
                EngineErrorClass.InvalidRequest,
                $"The exact profile needs F32 weights; the model has {Facts.FileType}."
            );
    }
}
