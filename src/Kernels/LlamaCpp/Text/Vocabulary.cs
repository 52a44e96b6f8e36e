using System.Text;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Chat;
using EgpuFleet.Kernels.LlamaCpp.Native;

namespace EgpuFleet.Kernels.LlamaCpp.Text;

/// <summary>The model's own tokenizer. Safe to use from any thread, also while the model is being unloaded.</summary>
internal sealed unsafe class Vocabulary
{
    private const int PieceBytes = 64;

    private readonly LlamaModelHandle model;
    private readonly bool spacePrefix;
    private readonly Lazy<bool[]> silent;

    public Vocabulary(LlamaModelHandle model)
    {
        this.model = model;
        using var use = model.Use();
        var vocabulary = Llama.ModelGetVocab(use.Pointer);
        Size = Llama.VocabularySize(vocabulary);
        Bos = Llama.VocabularyBos(vocabulary);
        // SentencePiece writes a space before the first word of a text; as first word of all it is not part of the text.
        spacePrefix = Llama.VocabularyType(vocabulary) == Llama.VocabularySpm;
        silent = new(FindSilent);
    }

    public int Size { get; }

    /// <summary>The token a text begins with; <see cref="Llama.NoToken"/> where the model has none.</summary>
    public int Bos { get; }

    /// <summary>Token ids of a text, with BOS and space prefix as the GGUF says.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="parseSpecial">Whether the names of control tokens in it mean those tokens: in rendered templates only.</param>
    /// <param name="addSpecial">Whether BOS is added where the GGUF says so.</param>
    public int[] Tokenize(string text, bool parseSpecial, bool addSpecial = true)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        using var use = model.Use();
        var vocabulary = Llama.ModelGetVocab(use.Pointer);
        // Every byte may be a token of its own, and BOS, EOS and the space prefix come on top.
        var tokens = new int[bytes.Length + 3];
        int count;
        fixed (byte* input = bytes)
        fixed (int* output = tokens)
            count = Llama.Tokenize(vocabulary, input, bytes.Length, output, tokens.Length, addSpecial, parseSpecial);
        if (count < 0)
            throw new EngineException(EngineErrorClass.Internal, $"The tokenizer asks for {-(long)count} tokens.");
        return tokens[..count];
    }

    /// <summary>The bytes a token stands for, maybe a part of a character; none for control tokens.</summary>
    /// <param name="token">Id.</param>
    /// <param name="beginsText">Whether no text comes before it.</param>
    public byte[] Piece(int token, bool beginsText) => Piece(token, beginsText, special: false);

    /// <summary>The bytes a token stands for, or the name of a control token.</summary>
    /// <param name="token">Id.</param>
    /// <param name="beginsText">Whether no text comes before it.</param>
    public byte[] Spelling(int token, bool beginsText) => Piece(token, beginsText, special: true);

    /// <summary>What a chat template calls by name.</summary>
    public TemplateTokens TemplateTokens()
    {
        using var use = model.Use();
        var eos = Llama.VocabularyEos(Llama.ModelGetVocab(use.Pointer));
        return new TemplateTokens(NameOf(Bos), NameOf(eos));
    }

    /// <summary>How far a text has come in a grammar.</summary>
    /// <param name="grammar">GBNF.</param>
    /// <param name="shown">Control tokens whose names count as text.</param>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>: it is no GBNF.</exception>
    public LlamaGrammar Constrain(string grammar, IReadOnlySet<int> shown)
    {
        var unspoken = silent.Value;
        if (shown.Count > 0)
        {
            unspoken = [.. unspoken];
            foreach (var token in shown)
                unspoken[token] = false;
        }
        return new(model, unspoken, grammar);
    }

    /// <summary>The tokens of these names; a name that is not one token is left out.</summary>
    public IReadOnlySet<int> Named(IReadOnlyList<string> names) =>
        names
            .Select(name => Tokenize(name, parseSpecial: true, addSpecial: false))
            .Where(tokens => tokens.Length == 1)
            .Select(tokens => tokens[0])
            .ToHashSet();

    /// <summary>Whether the model means that its text is complete.</summary>
    public bool EndsText(int token)
    {
        using var use = model.Use();
        return Llama.VocabularyIsEndOfGeneration(Llama.ModelGetVocab(use.Pointer), token);
    }

    private string NameOf(int token) =>
        token == Llama.NoToken ? "" : Encoding.UTF8.GetString(Spelling(token, beginsText: false));

    private byte[] Piece(int token, bool beginsText, bool special)
    {
        using var use = model.Use();
        var vocabulary = Llama.ModelGetVocab(use.Pointer);
        var strip = beginsText && spacePrefix ? 1 : 0;
        var buffer = stackalloc byte[PieceBytes];
        var count = Llama.TokenToPiece(vocabulary, token, buffer, PieceBytes, strip, special);
        if (count >= 0)
            return new Span<byte>(buffer, count).ToArray();
        var longer = new byte[-count];
        fixed (byte* output = longer)
            count = Llama.TokenToPiece(vocabulary, token, output, longer.Length, strip, special);
        return longer[..Math.Max(0, count)];
    }

    private bool[] FindSilent() =>
        [.. Enumerable.Range(0, Size).Select(token => !EndsText(token) && Piece(token, beginsText: false).Length == 0)];
}
