using EgpuFleet.Kernels.Formats.Chat;

namespace EgpuFleet.Formats.Tests.Chat;

public sealed class ConversationAnswersTests
{
    private const string ChatMl =
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    private const string Llama2 =
        "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
        + "{% else %} {{ m.content }} {{ eos_token }}{% endif %}{% endfor %}";

    /// <summary>As Qwen 3: an empty thought before the last answer only.</summary>
    private const string Thinking =
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if loop.last and m.role == 'assistant' %}<think></think>\n"
        + "{% endif %}{{ m.content }}<|im_end|>\n{% endfor %}"
        + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    private static readonly TemplateMessage[] Conversation =
    [
        new("user", "A"),
        new("assistant", "B"),
        new("user", "C"),
        new("assistant", "D"),
    ];

    [Fact]
    public void Answers_are_found_from_where_the_model_goes_on_to_the_next_message()
    {
        Assert.Equal(["B<|im_end|>\n", "D<|im_end|>\n"], Answers(ChatMl, [1, 3]));
        Assert.Equal(["D<|im_end|>\n"], Answers(ChatMl, [3]));
        Assert.Equal([" B </s>", " D </s>"], Answers(Llama2, [1, 3]));
    }

    [Fact]
    public void An_end_that_the_template_does_not_tell_is_left_open()
    {
        var found = Find(Thinking, [1, 3]);
        Assert.Equal([false, true], found.Answers.Select(answer => answer.EndsThere));
        Assert.Equal(
            ["B<|im_end|>\n<|im_start|>user\nC<|im_end|>\n<|im_start|>assistant\n", "<think></think>\nD<|im_end|>\n"],
            Answers(Thinking, [1, 3])
        );
    }

    [Theory]
    [InlineData("{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}")]
    [InlineData("{% for m in messages | reverse %}{{ m.content }}{% endfor %}")]
    [InlineData("{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}<think>{% endif %}")]
    [InlineData("constant")]
    public void A_template_that_does_not_tell_where_an_answer_begins_is_refused(string template)
    {
        var fault = Assert.Throws<ChatTemplateException>(() => Find(template, [1, 3]));
        Assert.Equal(ChatTemplateFault.NotPrefixStable, fault.Code);
    }

    private static string[] Answers(string template, int[] indices)
    {
        var found = Find(template, indices);
        return [.. found.Answers.Select(answer => found.Text[answer.Start..answer.End])];
    }

    private static RenderedConversation Find(string template, int[] indices) =>
        ConversationAnswers.Find(
            ChatTemplate.Parse(template, new TemplateTokens("<s>", "</s>")),
            Conversation,
            indices
        );
}
