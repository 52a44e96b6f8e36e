using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>
/// Phi-3 drops white space after its special tokens. No key says so; llama.cpp knows it by the model's name, and so must we.
/// </summary>
internal static class SpaceSwallowing
{
    private static readonly string[] Models = ["phi-3", "phi3"];
    private static readonly string[] Exceptions = ["<unk>", "<s>", "<|endoftext|>"];

    /// <summary>Whether white space after a special token is dropped, by its id.</summary>
    public static Func<int, bool> Of(GgufMetadata metadata, TokenVocabulary vocabulary)
    {
        var name = metadata.Text("general.name") ?? "";
        if (!Models.Any(model => name.Contains(model, StringComparison.OrdinalIgnoreCase)))
            return _ => false;
        return id => !Exceptions.Contains(vocabulary.Text(id), StringComparer.Ordinal);
    }
}
