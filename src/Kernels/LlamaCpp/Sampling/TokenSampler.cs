using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.LlamaCpp.Decoding;
using EgpuFleet.Kernels.LlamaCpp.Native;

namespace EgpuFleet.Kernels.LlamaCpp.Sampling;

/// <summary>Chooses the next token from logits. Holds buffers only: one per decode loop, used by one thread.</summary>
internal sealed class TokenSampler(int vocabularySize)
{
    /// <summary>Of what is impossible: JSON has no infinity.</summary>
    private const double LeastLogProb = -9999;

    /// <summary>Turns a seed into another one; an arbitrary number.</summary>
    private const ulong SecondDraw = 0x5851F42D4C957F2D;

    private readonly Candidate[] candidates = new Candidate[vocabularySize];
    private readonly PriorityQueue<int, Candidate> best = new(Candidate.WorstFirst);
    private readonly Lazy<GrammarMask> mask = new(() => new GrammarMask(vocabularySize));
    private readonly Lazy<float[]> ruled = new(() => new float[vocabularySize]);

    /// <summary>The next token of a sequence.</summary>
    public int Sample(ReadOnlySpan<float> logits, Sequence sequence) =>
        Sample(logits, sequence.Options, sequence.Generated, sequence.Grammar, sequence.LogitRules);

    /// <summary>Temperature 0: the most likely. Otherwise top_k, then top_p, then a draw keyed by (seed, index).</summary>
    /// <param name="logits">One per token of the vocabulary.</param>
    /// <param name="options">How to sample.</param>
    /// <param name="index">Of the token in its completion.</param>
    /// <param name="grammar">What the text is held to.</param>
    /// <param name="rules">What is done to the logits first.</param>
    /// <exception cref="EngineException">
    /// <see cref="EngineErrorClass.Internal"/>: the model computed no numbers. <see cref="EngineErrorClass.InvalidRequest"/>: no
    /// token of the model goes on in the grammar.
    /// </exception>
    public int Sample(
        ReadOnlySpan<float> logits,
        GenerationOptions options,
        int index,
        LlamaGrammar? grammar = null,
        LogitRules? rules = null
    )
    {
        if (rules is not null)
        {
            logits.CopyTo(ruled.Value);
            rules.Apply(ruled.Value);
            logits = ruled.Value;
        }
        var token = Choose(logits, options, options.Seed, index);
        // A look at the whole vocabulary costs far more than one at a token, and a model mostly keeps to what it began.
        if (grammar is null || grammar.Allows(token))
            return token;
        // With another random number: the first one has decided for what is not allowed.
        return Choose(mask.Value.Of(logits, grammar), options, options.Seed ^ SecondDraw, index);
    }

    private int Choose(ReadOnlySpan<float> logits, GenerationOptions options, ulong seed, int index)
    {
        var top = ArgMax(logits);
        if (options.Temperature == 0)
            return top;
        var count = options.TopK > 0 && options.TopK < logits.Length ? TakeTop(logits, options.TopK) : TakeAll(logits);
        var chosen = candidates.AsSpan(0, count);
        var total = Weigh(chosen, logits[top], options.Temperature);
        if (options.TopP < 1)
            chosen = Nucleus(chosen, ref total, options.TopP);
        return Draw(chosen, total * CounterRandom.NextDouble(seed, index));
    }

    /// <summary>The log-probability of a token, and those of the most likely ones.</summary>
    public TokenLogProbs LogProbs(ReadOnlySpan<float> logits, int token, int topCount)
    {
        var highest = (double)logits[ArgMax(logits)];
        var sum = 0.0;
        foreach (var logit in logits)
            sum += float.IsNaN(logit) ? 0 : Math.Exp(logit - highest);
        var offset = highest + Math.Log(sum);
        var top = new TokenLogProb[topCount == 0 ? 0 : TakeTop(logits, Math.Min(topCount, logits.Length))];
        for (var place = 0; place < top.Length; place++)
            top[place] = new TokenLogProb(candidates[place].Token, Bounded(candidates[place].Weight - offset));
        return new TokenLogProbs(Bounded(logits[token] - offset), top);
    }

    private static double Bounded(double logProb) => logProb > LeastLogProb ? logProb : LeastLogProb;

    private static int ArgMax(ReadOnlySpan<float> logits)
    {
        var top = -1;
        var highest = float.NegativeInfinity;
        for (var token = 0; token < logits.Length; token++)
        {
            if (!(logits[token] > highest))
                continue;
            highest = logits[token];
            top = token;
        }
        return top >= 0 && float.IsFinite(highest)
            ? top
            : throw new EngineException(EngineErrorClass.Internal, "The model computed no finite logits.");
    }

    private int TakeAll(ReadOnlySpan<float> logits)
    {
        for (var token = 0; token < logits.Length; token++)
            candidates[token] = new Candidate(token, logits[token]);
        return logits.Length;
    }

    /// <summary>The k most likely, most likely first, the lower id on ties.</summary>
    private int TakeTop(ReadOnlySpan<float> logits, int k)
    {
        best.Clear();
        for (var token = 0; token < logits.Length; token++)
        {
            var candidate = new Candidate(token, logits[token]);
            if (best.Count < k)
                best.Enqueue(token, candidate);
            else
                best.EnqueueDequeue(token, candidate);
        }
        for (var place = k - 1; best.TryDequeue(out _, out var candidate); place--)
            candidates[place] = candidate;
        return k;
    }

    /// <summary>Turns logits into weights relative to the most likely token's; returns their sum.</summary>
    private static double Weigh(Span<Candidate> chosen, float highest, double temperature)
    {
        var total = 0.0;
        foreach (ref var candidate in chosen)
        {
            var weight = Math.Exp((candidate.Weight - highest) / temperature);
            candidate = candidate with { Weight = double.IsNaN(weight) ? 0 : weight };
            total += candidate.Weight;
        }
        return total;
    }

    /// <summary>
    /// The fewest most likely candidates that reach the share. Sorting a whole vocabulary takes longer than decoding with a
    /// small model, so only candidates over a threshold are sorted, and the threshold falls until they suffice.
    /// </summary>
    private static Span<Candidate> Nucleus(Span<Candidate> chosen, scoped ref double total, double share)
    {
        var wanted = total * share;
        var over = 0;
        for (var threshold = 1e-2; ; threshold *= 1e-2)
        {
            over = MoveOver(chosen, threshold, out var sum);
            if (sum >= wanted || over == chosen.Length || threshold == 0)
                break;
        }
        var sorted = chosen[..over];
        sorted.Sort(Candidate.BestFirst);
        var count = 0;
        total = 0;
        while (count < sorted.Length && (count == 0 || total < wanted))
            total += sorted[count++].Weight;
        return sorted[..count];
    }

    /// <summary>Brings the candidates of at least this weight to the front; returns how many, and their sum.</summary>
    private static int MoveOver(Span<Candidate> chosen, double threshold, out double sum)
    {
        var over = 0;
        sum = 0;
        for (var i = 0; i < chosen.Length; i++)
        {
            if (chosen[i].Weight < threshold)
                continue;
            sum += chosen[i].Weight;
            (chosen[over], chosen[i]) = (chosen[i], chosen[over]);
            over++;
        }
        return over;
    }

    private static int Draw(ReadOnlySpan<Candidate> chosen, double point)
    {
        var last = chosen[0].Token;
        var sum = 0.0;
        foreach (var candidate in chosen)
        {
            if (candidate.Weight <= 0)
                continue;
            last = candidate.Token;
            sum += candidate.Weight;
            if (point < sum)
                break;
        }
        return last;
    }
}
