using System.Text;
using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>
/// The tokenizer that a model's file describes, for engines that speak token ids. It gives the ids and bytes that llama.cpp
/// gives for byte-level BPE (<c>tokenizer.ggml.model</c> = <c>gpt2</c>) and SentencePiece (<c>llama</c>). Immutable: safe to
/// use from any thread, and the file is no longer needed.
/// </summary>
public sealed class GgufTokenizer
{
    private const string DefaultPreTokenizer = "default";

    private readonly TokenVocabulary vocabulary;
    private readonly ITokenModel model;
    private readonly TokenRoles roles;
    private readonly SpecialTokens special;
    private readonly SpecialTokens userDefined;
    private readonly bool isSentencePiece;
    private readonly bool addsBos;
    private readonly bool addsEos;

    private GgufTokenizer(GgufReader reader, PreTokenizer? preTokenizer)
    {
        var metadata = reader.Metadata;
        isSentencePiece = preTokenizer is null;
        vocabulary = TokenVocabulary.Read(reader);
        // Where a file is silent, llama.cpp assumes the ids of the first models of each kind.
        roles = preTokenizer switch
        {
            null => TokenRoles.Assign(metadata, vocabulary, bos: 1, eos: 2, unknown: 0),
            { AssumesBos: true } => TokenRoles.Assign(metadata, vocabulary, 11, 11, TokenVocabulary.None),
            _ => TokenRoles.Assign(metadata, vocabulary, TokenVocabulary.None, 11, TokenVocabulary.None),
        };
        addsBos = metadata.Flag(TokenizerKeys.AddBos) ?? preTokenizer?.AddsBos ?? true;
        addsEos = metadata.Flag(TokenizerKeys.AddEos) ?? false;
        if (addsBos && roles.Bos == TokenVocabulary.None)
            throw TokenVocabulary.Invalid($"Text is to begin with a BOS token, but {TokenizerKeys.Bos} names none.");
        if (addsEos && roles.Eos == TokenVocabulary.None)
            throw TokenVocabulary.Invalid($"Text is to end with an EOS token, but {TokenizerKeys.Eos} names none.");
        model = preTokenizer is null
            ? new SentencePieceModel(vocabulary, metadata.Flag(TokenizerKeys.AddSpacePrefix) ?? true, roles.Unknown)
            : new BytePairModel(vocabulary, BytePairTable.Read(reader, vocabulary), preTokenizer);
        var swallowsSpace = SpaceSwallowing.Of(metadata, vocabulary);
        var found = TokenKinds.Control | TokenKinds.Unknown | TokenKinds.UserDefined;
        var all = Enumerable.Range(0, vocabulary.Count).Where(id => vocabulary.Is(id, found)).ToArray();
        special = new SpecialTokens(vocabulary, all, swallowsSpace);
        userDefined = new SpecialTokens(vocabulary, all.Where(id => !HasNoText(id)), swallowsSpace);
    }

    /// <summary>How many tokens there are; ids go from 0 up to it.</summary>
    public int Size => vocabulary.Count;

    /// <summary>What a text begins with; null where the model has no such token.</summary>
    public int? Bos => roles.Bos == TokenVocabulary.None ? null : roles.Bos;

    /// <summary>What a text ends with; null where the model has no such token.</summary>
    public int? Eos => roles.Eos == TokenVocabulary.None ? null : roles.Eos;

    /// <summary>The tokens by which the model says that its answer is complete.</summary>
    public IReadOnlySet<int> EndOfGeneration => roles.EndOfGeneration;

    /// <summary>Reads the vocabulary of an opened file.</summary>
    /// <exception cref="GgufException">
    /// <see cref="GgufFault.Tokenizer"/>: a kind of vocabulary or pre-tokenizer that is not known here (the message names
    /// it), or one that contradicts itself; else a fault of the arrays it is written in.
    /// </exception>
    public static GgufTokenizer From(GgufReader reader)
    {
        var kind = reader.Metadata.Text(TokenizerKeys.Model) ?? throw TokenVocabulary.Missing(TokenizerKeys.Model);
        return kind switch
        {
            "llama" => new GgufTokenizer(reader, null),
            "gpt2" => new GgufTokenizer(reader, PreTokenizer.Named(NameOfPreTokenizer(reader.Metadata))),
            _ => throw TokenVocabulary.Invalid(
                $"The vocabulary is of the kind \"{PreTokenizer.Shown(kind)}\"; gpt2 and llama are known."
            ),
        };
    }

    /// <summary>Token ids of a text.</summary>
    /// <param name="text">Any text; a surrogate without its other half counts as U+FFFD.</param>
    /// <param name="parseSpecial">Whether the names of control tokens in it mean those tokens: in rendered templates only.</param>
    /// <param name="addSpecial">Whether BOS and EOS are added where the file says so.</param>
    /// <exception cref="ArgumentException">The text has more than <see cref="Limits.TextChars"/> characters.</exception>
    public int[] Encode(string text, bool parseSpecial, bool addSpecial = true) =>
        EncodePieces(text, [], parseSpecial, addSpecial)[0];

    /// <summary>
    /// Token ids of each piece of a text that is cut at some places: no token reaches over a cut, as none reaches over the
    /// end of a prompt into its answer. Everything else is as in the whole text.
    /// </summary>
    /// <param name="text">As in <see cref="Encode"/>.</param>
    /// <param name="cuts">Where pieces begin, ascending; a special token belongs to the piece it begins in.</param>
    /// <param name="parseSpecial">As in <see cref="Encode"/>.</param>
    /// <param name="addSpecial">As in <see cref="Encode"/>: BOS in the first piece, EOS in the last.</param>
    /// <returns>One more piece than there are cuts; some may be empty.</returns>
    /// <exception cref="ArgumentException">The text has more than <see cref="Limits.TextChars"/> characters.</exception>
    public int[][] EncodePieces(string text, IReadOnlyList<int> cuts, bool parseSpecial, bool addSpecial = true)
    {
        ArgumentNullException.ThrowIfNull(cuts);
        if (text.Length > Limits.TextChars)
            throw new ArgumentException($"The text has more than {Limits.TextChars} characters.", nameof(text));
        var valid = WithoutLoneSurrogates(text);
        var pieces = Enumerable.Range(0, cuts.Count + 1).Select(_ => new List<int>()).ToArray();
        if (addSpecial && addsBos)
            pieces[0].Add(roles.Bos);
        var afterSpecial = true;
        var piece = 0;
        foreach (var part in (parseSpecial ? special : userDefined).Cut(valid))
        {
            var end = part.Start + part.Length;
            for (var start = part.Start; start < end; )
            {
                while (piece < cuts.Count && CutAt(valid, cuts[piece]) <= start)
                    piece++;
                var stop = end;
                if (part.Token != TokenVocabulary.None)
                    pieces[piece].Add(part.Token);
                else
                {
                    stop = piece < cuts.Count ? Math.Min(end, CutAt(valid, cuts[piece])) : end;
                    model.Encode(valid.AsSpan(start..stop), afterSpecial, pieces[piece]);
                }
                afterSpecial = part.Token != TokenVocabulary.None;
                start = stop;
            }
        }
        if (addSpecial && addsEos)
            pieces[^1].Add(roles.Eos);
        return [.. pieces.Select(tokens => tokens.ToArray())];
    }

    /// <summary>The bytes a token stands for, maybe a part of a character; none for control tokens.</summary>
    /// <param name="token">Id.</param>
    /// <param name="beginsText">Whether no text comes before it.</param>
    /// <remarks>A character of a byte-level token that stands for no byte gives itself; llama.cpp gives a complaint.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">There is no such token.</exception>
    public byte[] Piece(int token, bool beginsText)
    {
        if (!vocabulary.Contains(token))
            throw new ArgumentOutOfRangeException(nameof(token), $"There is no token {token} of {Size}.");
        var bytes = BytesOf(token);
        // SentencePiece writes a space before the first word of a text; as first word of all it is not part of the text.
        return beginsText && isSentencePiece && bytes is [(byte)' ', ..] ? bytes[1..] : bytes;
    }

    /// <summary>The bytes a token stands for, or the name of a control token.</summary>
    /// <param name="token">Id; one that the vocabulary lacks is spelled as nothing.</param>
    /// <param name="beginsText">Whether no text comes before it.</param>
    public byte[] Spelling(int token, bool beginsText) =>
        !vocabulary.Contains(token) ? []
        : HasNoText(token) ? Encoding.UTF8.GetBytes(vocabulary.Text(token))
        : Piece(token, beginsText);

    /// <summary>The token as the vocabulary writes it: for control tokens the text that means them in a rendered template.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such token.</exception>
    public string NameOf(int token) =>
        vocabulary.Contains(token)
            ? vocabulary.Text(token)
            : throw new ArgumentOutOfRangeException(nameof(token), $"There is no token {token} of {Size}.");

    /// <summary>Whether the model means that its text is complete.</summary>
    public bool EndsText(int token) => roles.EndOfGeneration.Contains(token);

    private byte[] BytesOf(int token)
    {
        var text = vocabulary.Text(token);
        if (HasNoText(token))
            return [];
        if (vocabulary.Is(token, TokenKinds.UserDefined))
            return Encoding.UTF8.GetBytes(text);
        if (vocabulary.Is(token, TokenKinds.Normal))
            return model.Bytes(text);
        return vocabulary.Is(token, TokenKinds.Byte) ? [SentencePieceModel.ByteOf(text)] : [];
    }

    private bool HasNoText(int token) => vocabulary.Is(token, TokenKinds.Control | TokenKinds.Unknown);

    private static string NameOfPreTokenizer(GgufMetadata metadata) =>
        metadata.Text(TokenizerKeys.Pre) is { Length: > 0 } name ? name : DefaultPreTokenizer;

    /// <summary>A cut inside a surrogate pair moves behind it.</summary>
    private static int CutAt(string text, int cut) =>
        cut > 0 && cut < text.Length && char.IsSurrogatePair(text[cut - 1], text[cut]) ? cut + 1 : cut;

    private static string WithoutLoneSurrogates(string text) =>
        text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF')
            ? Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text))
            : text;
}
