using System.Runtime.CompilerServices;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.LlamaCpp.Decoding;
using EgpuFleet.Kernels.LlamaCpp.Native;
using EgpuFleet.Kernels.LlamaCpp.Sampling;
using EgpuFleet.Kernels.LlamaCpp.Text;
using EgpuFleet.Kernels.Text;

namespace EgpuFleet.Kernels.LlamaCpp;

/// <summary>A loaded GGUF, alone or with an adapter, with its context and its decode loop.</summary>
internal sealed class LlamaModel : IModelShard, IGenerator
{
    private const int WarmUpTokens = 2;

    private readonly SharedWeights.Lease weights;
    private readonly Vocabulary vocabulary;
    private readonly ChatPrompts chats;
    private readonly LlamaContext context;
    private readonly LlamaAdapter? adapter;
    private readonly DecodeLoop loop;
    private readonly Embedder embedder;

    internal LlamaModel(
        SharedWeights.Lease weights,
        Vocabulary vocabulary,
        ChatPrompts chats,
        LlamaContext context,
        LlamaAdapter? adapter,
        ModelInfo info,
        ContextShape shape
    )
    {
        this.weights = weights;
        this.vocabulary = vocabulary;
        this.chats = chats;
        this.context = context;
        this.adapter = adapter;
        Info = info;
        loop = new DecodeLoop(context, new TokenSampler(vocabulary.Size), info.Slots);
        embedder = new Embedder(() => new EmbeddingContext(weights.Handle, adapter, shape));
    }

    public ModelInfo Info { get; }

    public IGenerator Generator => this;

    public Task<Embedding> EmbedAsync(Prompt text, CancellationToken cancellationToken) =>
        embedder.EmbedAsync(Tokenize(text)).WaitAsync(cancellationToken);

    public ModelStats Stats() => loop.Stats(Info.ContentHash);

    public async Task WarmUpAsync(CancellationToken cancellationToken)
    {
        chats.WarmUp();
        // Any token will do: the point is to touch every weight once, by a prompt and by a decode.
        var prompt = new TokenPrompt([Math.Max(0, vocabulary.Bos)]);
        var options = new GenerationOptions(MaxTokens: WarmUpTokens);
        var request = new GenerateRequest(Info.ContentHash, prompt, options, GenerationPriority.Interactive);
        await foreach (var _ in GenerateAsync(request, cancellationToken)) { }
    }

    public async IAsyncEnumerable<GeneratedToken> GenerateAsync(
        GenerateRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var sequence = Submit(request, cancellationToken);
        await using var registration = cancellationToken.Register(loop.Wake);
        try
        {
            // The loop ends the stream itself when the token fires.
            while (await sequence.Output.WaitToReadAsync(CancellationToken.None))
            {
                while (sequence.Output.TryRead(out var token))
                {
                    if (sequence.HasJustRoom)
                        loop.Wake();
                    yield return token;
                }
            }
        }
        finally
        {
            sequence.Abandon();
            loop.Wake();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await embedder.DisposeAsync();
        loop.Dispose();
        context.Dispose();
        adapter?.Dispose();
        weights.Dispose();
    }

    private Sequence Submit(GenerateRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var sequence = Prepare(request, cancellationToken);
            loop.Submit(sequence);
            return sequence;
        }
        catch (ObjectDisposedException exception)
        {
            throw new EngineException(
                EngineErrorClass.Cancelled,
                "The model is being unloaded.",
                innerException: exception
            );
        }
    }

    private Sequence Prepare(GenerateRequest request, CancellationToken cancellationToken)
    {
        var prompt = Tokenize(request.Prompt);
        // One position is needed for the first token of the completion.
        if (prompt.Length >= Info.ContextTokens)
        {
            throw new EngineException(
                EngineErrorClass.ContextLengthExceeded,
                $"The prompt has {prompt.Length} tokens; with room for an answer the context of {Info.ContextTokens} holds "
                    + $"{Info.ContextTokens - 1}.",
                prompt.Length,
                Info.ContextTokens - 1
            );
        }
        var room = Info.ContextTokens - prompt.Length;
        var maxTokens = Math.Min(request.Options.MaxTokens ?? room, room);
        return new Sequence(prompt, maxTokens, request, vocabulary, cancellationToken);
    }

    private int[] Tokenize(Prompt prompt) =>
        PromptTokens.Of(
            prompt,
            vocabulary.Size,
            vocabulary.Bos == Llama.NoToken ? null : vocabulary.Bos,
            text => vocabulary.Tokenize(text, parseSpecial: false),
            TokenizeChat
        );

    private int[] TokenizeChat(ChatPrompt chat)
    {
        var text = chats.Render(chat);
        return vocabulary.Tokenize(text, parseSpecial: true, addSpecial: !chats.BeginsText(text));
    }
}
