namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>
/// Joins neighbouring symbols of a text, the best pair first, the leftmost first among equals, until no pair joins.
/// Every joining offers two new pairs to a heap, so n symbols take n log n steps.
/// </summary>
/// <remarks>
/// Why not Microsoft.ML.Tokenizers: its BpeTokenizer does not know the rule that a piece which is a token as a whole is that
/// token (of llama.cpp's own 46 texts for llama-bpe, one gets other ids), refuses with untyped exceptions a vocabulary whose merges leave it, cuts by UTF-16 units where
/// llama.cpp cuts by code points, and tells no bytes of a token; its SentencePiece reader wants a protobuf file. What it
/// would take over is this loop.
/// </remarks>
internal abstract class PairMerger
{
    /// <summary>A symbol that was joined to the one before it.</summary>
    private const int Gone = -1;

    private readonly PriorityQueue<Pair, ulong> offers = new();
    private int[] symbols = [];
    private int[] previous = [];
    private int[] following = [];

    private readonly record struct Pair(int Left, int Right, int LeftSymbol, int RightSymbol, int Joined);

    protected int Count { get; private set; }

    /// <summary>Starts anew with a number of symbols, to be given by <see cref="SetSymbol"/>.</summary>
    protected void Begin(int count)
    {
        Count = count;
        if (symbols.Length < count)
        {
            var size = Math.Max(count, 64);
            symbols = new int[size];
            previous = new int[size];
            following = new int[size];
        }
        for (var i = 0; i < count; i++)
        {
            previous[i] = i - 1;
            following[i] = i + 1 < count ? i + 1 : -1;
        }
    }

    /// <param name="at">Position.</param>
    /// <param name="symbol">Any number but −1. What a symbol joins into must have another number than the symbol.</param>
    protected void SetSymbol(int at, int symbol) => symbols[at] = symbol;

    protected int Symbol(int at) => symbols[at];

    /// <summary>The position of the next symbol, or −1 at the end.</summary>
    protected int Following(int at) => following[at];

    /// <summary>Whether two neighbours join, before which others, and into what.</summary>
    protected abstract bool Joins(int left, int right, out uint order, out int joined);

    protected void Merge()
    {
        offers.Clear();
        for (var right = 1; right < Count; right++)
            Offer(right - 1, right);
        while (offers.TryDequeue(out var pair, out _))
        {
            // A pair of which one side has changed since was offered anew with its change.
            if (symbols[pair.Left] != pair.LeftSymbol || symbols[pair.Right] != pair.RightSymbol)
                continue;
            var after = following[pair.Right];
            symbols[pair.Left] = pair.Joined;
            symbols[pair.Right] = Gone;
            following[pair.Left] = after;
            if (previous[pair.Left] >= 0)
                Offer(previous[pair.Left], pair.Left);
            if (after >= 0)
            {
                previous[after] = pair.Left;
                Offer(pair.Left, after);
            }
        }
    }

    private void Offer(int left, int right)
    {
        if (Joins(left, right, out var order, out var joined))
            offers.Enqueue(
                new Pair(left, right, symbols[left], symbols[right], joined),
                ((ulong)order << 32) | (uint)left
            );
    }
}
