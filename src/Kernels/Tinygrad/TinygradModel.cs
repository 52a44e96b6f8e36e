using System.Runtime.CompilerServices;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Tokenizing;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Text;
using EgpuFleet.Kernels.Tinygrad.Child;

namespace EgpuFleet.Kernels.Tinygrad;

/// <summary>A model loaded in the child. Any number of generations at once: the child batches them.</summary>
internal sealed class TinygradModel(PythonChild child, GgufTokenizer tokenizer, ChatPrompts chats, ModelInfo info)
    : IModelShard,
        IGenerator
{
    private readonly IReadOnlyList<int> stopTokens = [.. tokenizer.EndOfGeneration.Order().Take(Limits.StopTokens)];
    private int running;
    private long promptTokens;
    private long completionTokens;

    public ModelInfo Info => info;

    public IGenerator Generator => this;

    public async Task WarmUpAsync(CancellationToken cancellationToken)
    {
        chats.WarmUp();
        await child.AskAsync(
            "warmup",
            new ChildModel(info.ContentHash),
            ChildJson.Default.ChildModel,
            ChildJson.Default.ChildWarmedUp,
            cancellationToken
        );
    }

    public ModelStats Stats()
    {
        var now = Volatile.Read(ref running);
        var busy = Math.Min(now, info.Slots);
        return new ModelStats(
            info.ContentHash,
            busy,
            now - busy,
            Interlocked.Read(ref promptTokens),
            Interlocked.Read(ref completionTokens),
            DecodeCalls: 0
        );
    }

    public async IAsyncEnumerable<GeneratedToken> GenerateAsync(
        GenerateRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var prompt = Tokenize(request.Prompt);
        var left = info.ContextTokens - prompt.Length;
        var room = Math.Min(request.Options.MaxTokens ?? left, left);
        var answer = new AnswerText(tokenizer, prompt, room, request.Options);
        var call = await BeginAsync(request, prompt);
        // Only now: what is counted has reached the child before whatever is sent to it next.
        Interlocked.Increment(ref running);
        var isOver = false;
        try
        {
            await using var cancelling = cancellationToken.Register(() => _ = child.CancelAsync(call));
            await foreach (var token in call.Tokens.ReadAllAsync(CancellationToken.None))
            {
                Interlocked.Increment(ref completionTokens);
                if (answer.Take(token) is not { } item)
                    continue;
                yield return item;
                // A stop string was reached: what the child still makes is of no use.
                if (item.FinishReason is not null)
                    yield break;
            }
            var finish = ProtocolJson.Read(await call.Result, ChildJson.Default.ChildFinish);
            isOver = true;
            yield return answer.End(finish);
        }
        finally
        {
            Interlocked.Decrement(ref running);
            if (!isOver)
                await child.CancelAsync(call);
        }
    }

    public async Task<TuneResult> TuneAsync(
        double seconds,
        Func<TuneProgress, Task> progress,
        CancellationToken cancellationToken
    )
    {
        var wanted = new ChildTune(info.ContentHash, seconds);
        var call = await child.BeginAsync("tune", wanted, ChildJson.Default.ChildTune, default, CancellationToken.None);
        await using var cancelling = cancellationToken.Register(() => _ = child.CancelAsync(call));
        await foreach (var step in call.Progress.ReadAllAsync(CancellationToken.None))
            await progress(step);
        return ProtocolJson.Read(await call.Result, ChildJson.Default.TuneResult);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await child.AskAsync(
                "unload",
                new ChildModel(info.ContentHash),
                ChildJson.Default.ChildModel,
                ChildJson.Default.ChildUnloaded,
                CancellationToken.None
            );
        }
        catch (EngineException gone) when (gone.ErrorClass == EngineErrorClass.WorkerLost)
        {
            // Its memory went with it.
        }
    }

    private async Task<ChildCall> BeginAsync(GenerateRequest request, int[] prompt)
    {
        var options = request.Options;
        var wanted = new ChildGenerate(
            info.ContentHash,
            new ChildOptions(options.MaxTokens, options.Temperature, options.TopP, options.TopK, options.Seed),
            stopTokens,
            request.Priority,
            options.TopLogProbs
        );
        var type = ChildJson.Default.ChildGenerate;
        var call = await child.BeginAsync("generate", wanted, type, PythonChild.Body(prompt), CancellationToken.None);
        Interlocked.Add(ref promptTokens, prompt.Length);
        return call;
    }

    private int[] Tokenize(Prompt prompt) =>
        PromptTokens.Of(prompt, tokenizer.Size, tokenizer.Bos, text => Encode(text, parseSpecial: false), EncodeChat);

    private int[] EncodeChat(ChatPrompt chat)
    {
        var text = chats.Render(chat);
        return Encode(text, parseSpecial: true, addSpecial: !chats.BeginsText(text));
    }

    private int[] Encode(string text, bool parseSpecial, bool addSpecial = true)
    {
        try
        {
            return tokenizer.Encode(text, parseSpecial, addSpecial);
        }
        catch (ArgumentException tooLong)
        {
            throw new EngineException(EngineErrorClass.InvalidRequest, tooLong.Message, innerException: tooLong);
        }
    }
}
