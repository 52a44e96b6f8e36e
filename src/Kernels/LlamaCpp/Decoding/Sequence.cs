using System.Threading.Channels;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.LlamaCpp.Native;
using EgpuFleet.Kernels.LlamaCpp.Sampling;
using EgpuFleet.Kernels.LlamaCpp.Text;
using EgpuFleet.Kernels.Text;

namespace EgpuFleet.Kernels.LlamaCpp.Decoding;

/// <summary>
/// One generation on its way through the decode loop. The loop's thread owns it; the reader side only reads
/// <see cref="Output"/> and abandons.
/// </summary>
internal sealed class Sequence
{
    private readonly Channel<GeneratedToken> output = Channel.CreateBounded<GeneratedToken>(
        // One more for the last item of a sequence that ends while its reader lags.
        new BoundedChannelOptions(Limits.OutputTokens + 1) { SingleReader = true, SingleWriter = true }
    );
    private readonly Vocabulary vocabulary;
    private readonly CompletionText text;
    private readonly IReadOnlySet<int> shown;
    private readonly CancellationToken cancellationToken;
    private readonly int maxTokens;
    private volatile bool abandoned;

    public Sequence(
        int[] prompt,
        int maxTokens,
        GenerateRequest request,
        Vocabulary vocabulary,
        CancellationToken cancellationToken
    )
    {
        Prompt = prompt;
        this.maxTokens = maxTokens;
        Options = request.Options;
        Priority = request.Priority;
        this.vocabulary = vocabulary;
        this.cancellationToken = cancellationToken;
        text = new CompletionText(request.Options.StopStrings);
        shown = vocabulary.Named(request.Options.ShownTokens);
        LogitRules = LogitRules.Of(request.Options, vocabulary.Size);
        Grammar = request.Options.Grammar is { } grammar ? vocabulary.Constrain(grammar, shown) : null;
    }

    public int[] Prompt { get; }

    public GenerationOptions Options { get; }

    public GenerationPriority Priority { get; }

    /// <summary>What its text is held to, until it has finished; null: nothing.</summary>
    public LlamaGrammar? Grammar { get; }

    /// <summary>What is done to its logits; null: nothing.</summary>
    public LogitRules? LogitRules { get; }

    public ChannelReader<GeneratedToken> Output => output.Reader;

    /// <summary>The slot it decodes in; also its sequence id in the KV cache.</summary>
    public int Slot { get; set; }

    /// <summary>Tokens of it in the KV cache.</summary>
    public int Position { get; set; }

    /// <summary>Tokens sampled so far; the last of them is not yet in the KV cache.</summary>
    public int Generated { get; private set; }

    public int LastToken { get; private set; }

    public bool Prefilling => Position < Prompt.Length;

    public bool Finished { get; private set; }

    public bool Cancelled => abandoned || cancellationToken.IsCancellationRequested;

    /// <summary>False while the reader lags too far behind: then it is left out of the batch.</summary>
    public bool HasRoom => output.Reader.Count < Limits.OutputTokens;

    /// <summary>
    /// From the reader's side, after it has read one: that may have been the one that left no room. Asked after each, since
    /// the loop may have paused at any moment before, and waits to hear of it.
    /// </summary>
    public bool HasJustRoom => output.Reader.Count >= Limits.OutputTokens - 1;

    /// <summary>From the reader's side: nobody will read any more.</summary>
    public void Abandon() => abandoned = true;

    /// <summary>Takes a sampled token and emits its text; afterwards it may be finished.</summary>
    public void Accept(int token, TokenLogProbs? logProbs)
    {
        if (vocabulary.EndsText(token))
        {
            Finish(Generated, token, text.Finish(), FinishReason.Stop);
            return;
        }
        Grammar?.Accept(token);
        LogitRules?.Accept(token);
        // A prompt of at most BOS has no text, so the completion is the beginning of one.
        var beginsText = Generated == 0 && (Prompt.Length == 0 || Prompt is [var only] && only == vocabulary.Bos);
        var piece = shown.Contains(token)
            ? vocabulary.Spelling(token, beginsText)
            : vocabulary.Piece(token, beginsText);
        logProbs = logProbs?.Spelled(piece, other => vocabulary.Spelling(other, beginsText));
        var certain = text.Append(piece);
        Generated++;
        LastToken = token;
        if (text.Stopped)
            Finish(Generated - 1, token, certain, FinishReason.Stop, logProbs);
        else if (Generated < maxTokens)
            Emit(new GeneratedToken(Generated - 1, token, certain, LogProbs: logProbs));
        else
            FinishAtLength(token, certain, logProbs);
    }

    public void Cancel() => Finish(Generated, Llama.NoToken, text.Finish(), FinishReason.Cancelled);

    public void Fail(EngineException exception)
    {
        Finished = true;
        Grammar?.Dispose();
        output.Writer.TryComplete(exception);
    }

    private void FinishAtLength(int token, string certain, TokenLogProbs? logProbs)
    {
        var rest = certain + text.Finish();
        Finish(Generated - 1, token, rest, text.Stopped ? FinishReason.Stop : FinishReason.Length, logProbs);
    }

    private void Finish(int index, int token, string lastText, FinishReason reason, TokenLogProbs? logProbs = null)
    {
        Finished = true;
        Grammar?.Dispose();
        var usage = new GenerationUsage(Prompt.Length, Generated);
        Emit(new GeneratedToken(index, token, lastText, reason, usage, logProbs));
        output.Writer.TryComplete();
    }

    private void Emit(GeneratedToken token) => output.Writer.TryWrite(token);
}
