using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.LlamaCpp;

/// <summary>What our own reader says of a GGUF, before llama.cpp, which trusts files more than it should, sees it.</summary>
/// <param name="Facts">Shape and sizes.</param>
/// <param name="AllF32">Whether every tensor is F32, as the exact profile needs.</param>
internal sealed record ModelFile(GgufModelFacts Facts, bool AllF32)
{
    /// <exception cref="EngineException"><see cref="EngineErrorClass.ModelInvalid"/>.</exception>
    public static ModelFile Read(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            var reader = GgufReader.Open(stream);
            var facts = GgufModelFacts.From(reader);
            return new ModelFile(facts, reader.Tensors.All(tensor => tensor.Type == GgufTensorType.F32));
        }
        catch (Exception exception) when (exception is GgufException or IOException or UnauthorizedAccessException)
        {
            throw new EngineException(EngineErrorClass.ModelInvalid, exception.Message, innerException: exception);
        }
    }
}
