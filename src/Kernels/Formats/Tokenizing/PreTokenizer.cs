using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>
/// One cut of a pre-tokenizer: appends the ends of the pieces of the text from <paramref name="start"/> up to
/// <paramref name="end"/>, the last of which is <paramref name="end"/>.
/// </summary>
internal delegate void Cutter(CodePoints text, int start, int end, List<int> ends);

/// <summary>
/// Cuts text into the pieces inside which byte pairs may merge. Published models describe these cuts by regular expressions
/// that run one after the other over the pieces of the one before; here each is a hand-written loop, because .NET's
/// expressions know no code points beyond the basic plane, and those with lookahead cannot run without backtracking. All
/// loops look at most a bounded number of times at each code point.
/// </summary>
/// <param name="Cutters">One cut after the other.</param>
/// <param name="WholePieces">Whether a piece that is a token as a whole is that token, whatever the merges say.</param>
/// <param name="AddsBos">Whether text begins with BOS where the file does not say.</param>
/// <param name="AssumesBos">Whether a file that names no BOS token has the one that is usual for its kind.</param>
internal sealed record PreTokenizer(
    Cutter[] Cutters,
    bool WholePieces = false,
    bool AddsBos = false,
    bool AssumesBos = true
)
{
    private const int NameCharsShown = 64;

    private static readonly Dictionary<string, PreTokenizer> Known = ByName(
        (
            new PreTokenizer([
                PieceCutters.Runs(PieceCutters.IsPunctuationOrMath),
                WordCutters.Gpt2,
                PieceCutters.Runs(PieceCutters.IsNumber),
                PieceCutters.Groups(PieceCutters.IsDigit, 3, 3),
            ]),
            ["default"]
        ),
        (new PreTokenizer([WordCutters.Gpt2]), ["gpt-2", "phi-2", "mpt", "olmo", "jais", "gigachat", "exaone4"]),
        (
            new PreTokenizer([PieceCutters.Groups(PieceCutters.IsNumber, 1, 1), WordCutters.Gpt2]),
            ["starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b"]
        ),
        (
            new PreTokenizer([
                PieceCutters.Runs(PieceCutters.IsPunctuationOrMathOrBacktick),
                WordCutters.Gpt2,
                PieceCutters.Groups(PieceCutters.IsDigit, 3, 3),
            ]),
            ["falcon"]
        ),
        (
            new PreTokenizer([new WordCutters(MaxDigits: 3).Cut], WholePieces: true, AddsBos: true),
            ["llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"]
        ),
        (new PreTokenizer([new WordCutters(MaxDigits: 3).Cut]), ["dbrx", "smaug-bpe"]),
        (new PreTokenizer([new WordCutters(MaxDigits: 3).Cut], AssumesBos: false), ["glm4", "chatglm-bpe"]),
        (
            new PreTokenizer([new WordCutters(MaxDigits: 1).Cut]),
            ["qwen2", "stablelm2", "deepseek-r1-qwen", "kormo", "megrez", "hunyuan", "solar-open", "grok-2"]
        ),
        (new PreTokenizer([new WordCutters(MaxDigits: 1, MarksInWords: true).Cut]), ["qwen35"]),
        (
            new PreTokenizer([new WordCutters(MaxDigits: 1, ByCase: true).Cut], WholePieces: true, AddsBos: true),
            ["tekken"]
        ),
        (
            new PreTokenizer([new WordCutters(MaxDigits: 3, ByCase: true, ContractionsEndWords: true).Cut]),
            ["gpt-4o", "llama4", "kanana2"]
        ),
        (
            new PreTokenizer([
                PieceCutters.Groups(PieceCutters.IsLineEnd, 1, 1),
                PieceCutters.RunsAfterSpace(DeepSeekCharacters.IsCasedLetter),
                PieceCutters.RunsAfterSpace(DeepSeekCharacters.IsPunctuation),
                PieceCutters.TrailingSpace,
                PieceCutters.Runs(DeepSeekCharacters.IsIdeographOrSyllable),
                PieceCutters.Runs(PieceCutters.IsNumber),
            ]),
            ["deepseek-llm"]
        ),
        (
            new PreTokenizer([
                PieceCutters.Groups(PieceCutters.IsLineEnd, 1, 1),
                PieceCutters.RunsAfterSpace(PieceCutters.IsLetter),
                PieceCutters.RunsAfterSpace(PieceCutters.IsPunctuation),
                PieceCutters.Runs(DeepSeekCharacters.IsIdeographOrSyllable),
                PieceCutters.Groups(PieceCutters.IsNumber, 1, 1),
            ]),
            ["deepseek-coder"]
        )
    );

    /// <summary>All names that <see cref="Named"/> knows.</summary>
    public static IReadOnlyCollection<string> Names => Known.Keys;

    /// <summary>The pre-tokenizer of a name under <c>tokenizer.ggml.pre</c>.</summary>
    /// <exception cref="GgufException">The name is not known; the message has it.</exception>
    public static PreTokenizer Named(string name)
    {
        if (Known.TryGetValue(name, out var known))
            return known;
        throw TokenVocabulary.Invalid($"The pre-tokenizer \"{Shown(name)}\" is not one this program knows.");
    }

    /// <summary>A name from a file, short enough for a message.</summary>
    public static string Shown(string name) => name.Length > NameCharsShown ? name[..NameCharsShown] + "…" : name;

    /// <summary>The ends of the pieces of a text, in order; the last is its length.</summary>
    public List<int> Cut(CodePoints text)
    {
        var ends = new List<int>();
        if (text.Count > 0)
            ends.Add(text.Count);
        foreach (var cutter in Cutters)
        {
            var finer = new List<int>(ends.Count);
            var start = 0;
            foreach (var end in ends)
            {
                cutter(text, start, end, finer);
                start = end;
            }
            ends = finer;
        }
        return ends;
    }

    private static Dictionary<string, PreTokenizer> ByName(params (PreTokenizer PreTokenizer, string[] Names)[] rows) =>
        rows.SelectMany(row => row.Names.Select(name => (name, row.PreTokenizer)))
            .ToDictionary(pair => pair.name, pair => pair.PreTokenizer, StringComparer.Ordinal);
}
