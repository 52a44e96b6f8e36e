using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Cli.Evidence;

/// <summary>
/// That a device says what the processor says: along the reference's own greedy text, so that one close call does not make all
/// after it differ, the log-probabilities of its likeliest tokens agree within a tolerance, and so does the choice wherever
/// the reference's two best are further apart than that.
/// </summary>
internal static class TokenEvidence
{
    /// <summary>llama.cpp rounds activations where weights are quantised: 0.27 at worst was seen between two engines.</summary>
    private const double QuantisedTolerance = 0.3;

    /// <summary>16-bit keys, values and products, added in another order: three digits.</summary>
    private const double Tolerance = 0.1;

    private const int TokensPerPrompt = 24;

    /// <summary>Of as many as both surely tell, whatever the order of nearly equal ones.</summary>
    private const int Compared = 5;

    private const int Told = 10;

    public static async Task<EvidenceFinding> CompareAsync(EvidenceSession session, CancellationToken cancellationToken)
    {
        if (session.Reference is not { } reference)
            return EvidenceFinding.NotApplicable("this is what the others are compared with");
        var texts = await ReferenceAsync(session, reference, cancellationToken);
        if (texts is null)
        {
            return EvidenceFinding.NotRun(
                $"the processor needs too long for {session.Model.Name}; name a smaller one by --model"
            );
        }
        var client = await session.LoadedAsync(cancellationToken);
        var tolerance = session.Model.IsQuantised ? QuantisedTolerance : Tolerance;
        var compared = new Comparison(tolerance);
        foreach (var (prompt, text) in session.Model.Prompts.Zip(texts))
        {
            var own = await GenerateAsync(client, session.Model.Sha256, prompt, TokensPerPrompt, cancellationToken);
            compared.AddText(text, own);
            for (var i = 0; i < text.Count; i++)
            {
                int[] soFar = [.. prompt, .. text.Take(i).Select(token => token.TokenId)];
                var next = await GenerateAsync(client, session.Model.Sha256, soFar, 1, cancellationToken);
                compared.AddStep(text[i], next[0]);
            }
        }
        return compared.Finding($"{reference.Engine} on the processor");
    }

    /// <summary>The reference's texts; null where it is not done in half the time there is.</summary>
    private static async Task<List<IReadOnlyList<GeneratedToken>>?> ReferenceAsync(
        EvidenceSession session,
        EvidenceSubject reference,
        CancellationToken cancellationToken
    )
    {
        using var late = new CancellationTokenSource(Limits.ReferenceTimeout, session.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            await using var worker = await EvidenceWorker.StartAsync(
                reference,
                session.Folder,
                session.Clock,
                either.Token
            );
            await worker.Client.LoadAsync(session.Model.Spec, either.Token);
            var texts = new List<IReadOnlyList<GeneratedToken>>();
            foreach (var prompt in session.Model.Prompts)
                texts.Add(
                    await GenerateAsync(worker.Client, session.Model.Sha256, prompt, TokensPerPrompt, either.Token)
                );
            return texts;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>The tokens; not the item that only ends a text.</summary>
    private static async Task<IReadOnlyList<GeneratedToken>> GenerateAsync(
        WorkerClient client,
        string model,
        IReadOnlyList<int> prompt,
        int tokens,
        CancellationToken cancellationToken
    )
    {
        var options = new GenerationOptions(tokens) { TopLogProbs = Told };
        var request = new GenerateRequest(model, new TokenPrompt(prompt), options);
        var generated = new List<GeneratedToken>();
        await foreach (var token in client.GenerateAsync(request, cancellationToken))
        {
            if (token.LogProbs is not null)
                generated.Add(token);
        }
        return generated;
    }

    /// <summary>Counts where two devices agree.</summary>
    internal sealed class Comparison(double tolerance)
    {
        private int _steps;
        private int _certain;
        private int _sameChoices;
        private int _tokens;
        private int _sameTokens;
        private double _largest;

        public void AddText(IReadOnlyList<GeneratedToken> reference, IReadOnlyList<GeneratedToken> own)
        {
            _tokens += reference.Count;
            _sameTokens += reference.Zip(own).TakeWhile(pair => pair.First.TokenId == pair.Second.TokenId).Count();
        }

        public void AddStep(GeneratedToken reference, GeneratedToken own)
        {
            _steps++;
            var (theirs, ours) = (reference.LogProbs!.Top, own.LogProbs!.Top);
            var difference = theirs
                .Take(Compared)
                .Max(token =>
                    ours.FirstOrDefault(other => other.TokenId == token.TokenId) is { } other
                        ? Math.Abs(token.LogProb - other.LogProb)
                        : double.PositiveInfinity
                );
            _largest = Math.Max(_largest, difference);
            if (theirs[0].LogProb - theirs[1].LogProb <= tolerance)
                return;
            _certain++;
            _sameChoices += reference.TokenId == own.TokenId ? 1 : 0;
        }

        public EvidenceFinding Finding(string reference) =>
            EvidenceFinding.Of(
                _certain > 0 && _sameChoices == _certain && _largest <= tolerance,
                $"against {reference}: {_sameChoices} of {_certain} certain choices are the same, log-probabilities differ by "
                    + $"{_largest:g2} at most (tolerance {tolerance}), {_sameTokens} of {_tokens} greedy tokens are the same",
                ("steps", _steps),
                ("certain_choices", _certain),
                ("same_choices", _sameChoices),
                ("largest_difference", _largest),
                ("tolerance", tolerance),
                ("greedy_tokens", _tokens),
                ("same_greedy_tokens", _sameTokens)
            );
    }
}
