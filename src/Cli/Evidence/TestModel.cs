using System.Security.Cryptography;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Tokenizing;

namespace EgpuFleet.Cli.Evidence;

/// <summary>The model that every subject is asked.</summary>
/// <param name="Prompts">Token ids, so that every engine is asked the very same.</param>
/// <param name="IsQuantised">Whether any of its weights are: engines then differ by more.</param>
internal sealed record TestModel(
    LoadSpec Spec,
    GgufModelFacts Facts,
    string Name,
    string Sha256,
    IReadOnlyList<IReadOnlyList<int>> Prompts,
    bool IsQuantised
)
{
    private const int ContextTokens = 1024;

    private const int Slots = 2;

    private static readonly string[] Texts = ["Once upon a time", "On Friday, Pip"];

    public EvidenceModel Described => new(Name, Facts.Architecture, Facts.FileType, Facts.WeightBytes, Sha256);

    /// <exception cref="FleetFailure">It is not there, or no model.</exception>
    public static async Task<TestModel> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = File.OpenRead(path);
            var reader = GgufReader.Open(stream);
            var facts = GgufModelFacts.From(reader);
            var tokenizer = GgufTokenizer.From(reader);
            stream.Position = 0;
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken));
            return new TestModel(
                new LoadSpec(
                    Path.GetFullPath(path),
                    hash,
                    Environment.ProcessorCount,
                    Math.Min(ContextTokens, facts.ContextLength),
                    Slots
                ),
                facts,
                Path.GetFileName(path),
                hash,
                [.. Texts.Select(text => (IReadOnlyList<int>)tokenizer.Encode(text, parseSpecial: false))],
                reader.Tensors.Any(tensor => tensor.Type.BlockItems > 1)
            );
        }
        catch (Exception e) when (e is GgufException or IOException or UnauthorizedAccessException)
        {
            throw new FleetFailure(
                $"{path} is no model that can be asked: {e.Message}",
                "Name a GGUF file by --model, or leave it out.",
                ExitCodes.NotFound
            );
        }
    }
}
