using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.LlamaCpp.Native;

/// <summary>How far one text has come in its grammar. Used by one thread at a time; keeps its model.</summary>
internal sealed unsafe class LlamaGrammar : IDisposable
{
    private const string Root = "root";

    private readonly LlamaModelHandle.Usage model;
    private readonly bool[] silent;
    private nint sampler;

    /// <param name="model">Whose tokens they are.</param>
    /// <param name="silent">Of each token, whether it stands for no text, nor for its end: a grammar would count its name.</param>
    /// <param name="grammar">GBNF.</param>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>: it is no GBNF.</exception>
    public LlamaGrammar(LlamaModelHandle model, bool[] silent, string grammar)
    {
        this.silent = silent;
        this.model = model.Use();
        sampler = Llama.GrammarInit(Llama.ModelGetVocab(this.model.Pointer), grammar, Root);
        if (sampler != 0)
            return;
        this.model.Dispose();
        throw new EngineException(EngineErrorClass.InvalidRequest, "llama.cpp cannot read the grammar.");
    }

    /// <summary>Whether the text may go on, or end, with this token.</summary>
    public bool Allows(int token)
    {
        if (silent[token])
            return false;
        var one = new LlamaTokenData { Token = token };
        Apply(&one, 1);
        return float.IsFinite(one.Logit);
    }

    /// <summary>The logits of all tokens, minus infinity for those that the text cannot go on with.</summary>
    /// <param name="logits">One for each token of the vocabulary.</param>
    /// <param name="candidates">Room for as many.</param>
    /// <param name="masked">The result.</param>
    public void Mask(ReadOnlySpan<float> logits, LlamaTokenData[] candidates, Span<float> masked)
    {
        for (var token = 0; token < logits.Length; token++)
        {
            var logit = silent[token] ? float.NegativeInfinity : logits[token];
            candidates[token] = new LlamaTokenData { Token = token, Logit = logit };
        }
        fixed (LlamaTokenData* data = candidates)
            Apply(data, logits.Length);
        for (var place = 0; place < logits.Length; place++)
            masked[candidates[place].Token] = candidates[place].Logit;
    }

    /// <param name="token">One that it allows, and that does not end the text.</param>
    public void Accept(int token) => Llama.SamplerAccept(sampler, token);

    public void Dispose()
    {
        if (sampler == 0)
            return;
        Llama.SamplerFree(sampler);
        sampler = 0;
        model.Dispose();
    }

    private void Apply(LlamaTokenData* data, int count)
    {
        var candidates = new LlamaTokenDataArray
        {
            Data = data,
            Size = (nuint)count,
            Selected = -1,
        };
        Llama.SamplerApply(sampler, &candidates);
    }
}
