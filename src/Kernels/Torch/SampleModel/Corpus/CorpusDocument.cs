using EgpuFleet.Kernels.Torch.Tokenizing;

namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>A piece of a document: text, or one special token.</summary>
public sealed record CorpusPart(string Text, bool IsSpecial)
{
    /// <summary>Text that is tokenised.</summary>
    public static CorpusPart Plain(string text) => new(text, false);

    /// <summary>A special token.</summary>
    public static CorpusPart Special(string token) => new(token, true);

    /// <summary>The part's tokens.</summary>
    public IEnumerable<int> Tokens(BpeVocabulary vocabulary) =>
        IsSpecial ? [vocabulary.IdOf(Text)] : vocabulary.Encode(Text);
}

/// <summary>One story, text or conversation.</summary>
public sealed record CorpusDocument(IReadOnlyList<CorpusPart> Parts)
{
    /// <summary>The whole document, special tokens written out.</summary>
    public string Text => string.Concat(Parts.Select(part => part.Text));

    /// <summary>The token that begins a document and then those of its parts.</summary>
    public IEnumerable<int> Tokens(BpeVocabulary vocabulary) =>
        Parts.SelectMany(part => part.Tokens(vocabulary)).Prepend(vocabulary.IdOf(SpecialTokens.EndOfText));
}
