using EgpuFleet.Kernels.Torch.Model;
using EgpuFleet.Kernels.Torch.SampleModel.Corpus;
using EgpuFleet.Kernels.Torch.Tokenizing;
using EgpuFleet.Kernels.Torch.Training;

namespace EgpuFleet.Torch.Tests;

/// <summary>A model small enough to train in a second, with a vocabulary of its own.</summary>
internal static class TinyModels
{
    public const int VocabularySize = 384;

    public static LlamaConfig Config { get; } = new(32, 2, 48, 4, 2, VocabularySize, 64);

    public static CorpusDocument[] Documents { get; } = [.. CorpusGenerator.Generate(300, seed: 5)];

    public static BpeVocabulary Vocabulary { get; } =
        BpeTrainer.Train(
            Documents.SelectMany(document => document.Parts).Where(part => !part.IsSpecial).Select(part => part.Text),
            VocabularySize
        );

    public static TokenRows Rows() =>
        new(
            [.. Documents.SelectMany(document => document.Tokens(Vocabulary))],
            Vocabulary.IdOf(SpecialTokens.EndOfText),
            rowTokens: 48
        );
}
