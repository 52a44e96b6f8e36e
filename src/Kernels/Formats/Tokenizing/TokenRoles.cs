using System.Collections.Frozen;
using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>
/// Which tokens begin, end and stand in for text. Most files name only some of them, so llama.cpp also knows them by their
/// texts, and what it finds so it treats as control tokens; this follows it name by name.
/// </summary>
/// <param name="Bos">What a text begins with, or <see cref="TokenVocabulary.None"/>.</param>
/// <param name="Eos">What a text ends with, or <see cref="TokenVocabulary.None"/>.</param>
/// <param name="Unknown">What stands for a character without a token, or <see cref="TokenVocabulary.None"/>.</param>
/// <param name="EndOfGeneration">Tokens by which a model says that its answer is complete.</param>
internal sealed record TokenRoles(int Bos, int Eos, int Unknown, FrozenSet<int> EndOfGeneration)
{
    private sealed record NamedRole(string[] Keys, bool EndsText, string[] Texts);

    private static readonly NamedRole[] NamedRoles =
    [
        new(
            ["tokenizer.ggml.eot_token_id"],
            true,
            [
                "<|eot_id|>",
                "<|im_end|>",
                "<|end|>",
                "<end_of_turn>",
                "<|endoftext|>",
                "<|end_of_text|>",
                "<EOT>",
                "_<EOT>",
                "[EOT]",
                "<｜end▁of▁sentence｜>",
                "<end_of_utterance>",
            ]
        ),
        new(["tokenizer.ggml.eom_token_id"], true, ["<|eom_id|>"]),
        new(
            ["tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.prefix_token_id"],
            false,
            [
                "<|fim_prefix|>",
                "<fim-prefix>",
                "<fim_prefix>",
                "<｜fim▁begin｜>",
                "<PRE>",
                "▁<PRE>",
                "<|code_prefix|>",
                "<|prefix|>",
            ]
        ),
        new(
            ["tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.suffix_token_id"],
            false,
            [
                "<|fim_suffix|>",
                "<fim-suffix>",
                "<fim_suffix>",
                "<｜fim▁hole｜>",
                "<SUF>",
                "▁<SUF>",
                "<|code_suffix|>",
                "<|suffix|>",
            ]
        ),
        new(
            ["tokenizer.ggml.fim_mid_token_id", "tokenizer.ggml.middle_token_id"],
            false,
            [
                "<|fim_middle|>",
                "<fim-middle>",
                "<fim_middle>",
                "<｜fim▁end｜>",
                "<MID>",
                "▁<MID>",
                "<|code_middle|>",
                "<|middle|>",
            ]
        ),
        new(["tokenizer.ggml.fim_pad_token_id"], true, ["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"]),
        new(
            ["tokenizer.ggml.fim_rep_token_id"],
            true,
            ["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"]
        ),
        new(["tokenizer.ggml.fim_sep_token_id"], true, ["<|file_sep|>"]),
    ];

    private static readonly string[] TextsThatEnd =
    [
        "<|eot_id|>",
        "<|im_end|>",
        "<|end|>",
        "<|return|>",
        "<|call|>",
        "<|flush|>",
        "<|calls|>",
        "<end_of_turn>",
        "<|endoftext|>",
        "</s>",
        "<|eom_id|>",
        "<EOT>",
        "_<EOT>",
        "[EOT]",
        "[EOS]",
        "<|end_of_text|>",
        "<end_of_utterance>",
        "<eos>",
        "<turn|>",
        "<|tool_response>",
        "<｜end▁of▁sentence｜>",
        "[e~[",
    ];

    /// <summary>Tokens of one family of models that are shown although the file calls them control tokens.</summary>
    private static readonly string[] ShownTexts = ["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"];

    /// <summary>Finds the roles, and gives tokens found by their texts the kind that the role implies.</summary>
    public static TokenRoles Assign(GgufMetadata metadata, TokenVocabulary vocabulary, int bos, int eos, int unknown)
    {
        eos = Named(metadata, vocabulary, TokenizerKeys.Eos, eos);
        var ends = new HashSet<int>();
        foreach (var role in NamedRoles)
        {
            var id = role.Keys.Aggregate(TokenVocabulary.None, (found, key) => Named(metadata, vocabulary, key, found));
            if (id == TokenVocabulary.None)
                id = FirstControl(vocabulary, role.Texts);
            if (role.EndsText && id != TokenVocabulary.None)
                ends.Add(id);
        }
        foreach (var text in TextsThatEnd)
        {
            if (FirstControl(vocabulary, [text]) is var id and not TokenVocabulary.None)
                ends.Add(id);
        }
        foreach (var id in ShownTexts.Select(text => vocabulary.Find(text)).Where(vocabulary.Contains))
            vocabulary.SetKinds(id, TokenKinds.UserDefined);
        if (eos != TokenVocabulary.None)
            ends.Add(eos);
        RemoveTextsThatOnlySeemToEnd(vocabulary, ends);
        return new TokenRoles(
            Named(metadata, vocabulary, TokenizerKeys.Bos, bos),
            eos,
            Named(metadata, vocabulary, TokenizerKeys.Unknown, unknown),
            ends.ToFrozenSet()
        );
    }

    /// <summary>The id under a key; <paramref name="otherwise"/> where the key is absent or names no token.</summary>
    private static int Named(GgufMetadata metadata, TokenVocabulary vocabulary, string key, int otherwise)
    {
        _ = metadata.TryGet(key, out var value);
        var id = value switch
        {
            ulong number and <= int.MaxValue => (int)number,
            long number and >= 0 and <= int.MaxValue => (int)number,
            _ => otherwise,
        };
        if (vocabulary.Contains(id))
            return id;
        return vocabulary.Contains(otherwise) ? otherwise : TokenVocabulary.None;
    }

    private static int FirstControl(TokenVocabulary vocabulary, string[] texts)
    {
        foreach (var text in texts)
        {
            var id = vocabulary.Find(text);
            if (id == TokenVocabulary.None)
                continue;
            vocabulary.SetKinds(id, vocabulary.Kinds(id) | TokenKinds.Control);
            return id;
        }
        return TokenVocabulary.None;
    }

    /// <summary>Some families end a part of an answer with a text that ends the whole answer elsewhere.</summary>
    private static void RemoveTextsThatOnlySeemToEnd(TokenVocabulary vocabulary, HashSet<int> ends)
    {
        bool Ends(string text) => ends.Contains(vocabulary.Find(text));
        var calls = Ends("<|call|>") || Ends("<|calls|>");
        if (calls && (Ends("<|return|>") || Ends("<|flush|>")) && Ends("<|end|>"))
        {
            var end = vocabulary.Find("<|end|>");
            _ = ends.Remove(end);
            vocabulary.SetKinds(end, TokenKinds.UserDefined);
        }
        if (Ends("<|tool_response>") && Ends("</s>"))
        {
            var end = vocabulary.Find("</s>");
            _ = ends.Remove(end);
            vocabulary.SetKinds(end, TokenKinds.Normal);
        }
    }
}
