namespace EgpuFleet.Kernels.Formats.Chat;

/// <summary>
/// Finds the assistant's answers in a rendered conversation without knowing the template: an answer begins where the
/// conversation before it, rendered with the beginning of an answer, ends; and that must be how the whole conversation
/// begins. Where a template writes earlier answers differently from the last (without their reasoning, say), an answer's
/// end is not found that way, and is left open.
/// </summary>
public static class ConversationAnswers
{
    /// <param name="template">The model's template.</param>
    /// <param name="messages">The conversation.</param>
    /// <param name="answers">Indices of the messages of the assistant to find, ascending.</param>
    /// <exception cref="ChatTemplateException">
    /// <see cref="ChatTemplateFault.NotPrefixStable"/>, or what <see cref="ChatTemplate.Render"/> throws.
    /// </exception>
    public static RenderedConversation Find(
        ChatTemplate template,
        IReadOnlyList<TemplateMessage> messages,
        IReadOnlyList<int> answers
    )
    {
        ArgumentNullException.ThrowIfNull(template);
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(answers);
        var text = template.Render(messages, addGenerationPrompt: false);
        var starts = answers.Select(index => Start(template, messages, index, text)).ToArray();
        var spans = new AnswerSpan[answers.Count];
        for (var i = 0; i < spans.Length; i++)
        {
            var next = i + 1 < spans.Length ? starts[i + 1] : text.Length;
            if (next <= starts[i])
                throw NotStable(answers[i]);
            var end = End(template, messages, answers[i], text);
            spans[i] =
                end > starts[i] && end <= next
                    ? new AnswerSpan(starts[i], end, true)
                    : new AnswerSpan(starts[i], next, false);
        }
        return new RenderedConversation(text, spans);
    }

    private static int Start(ChatTemplate template, IReadOnlyList<TemplateMessage> messages, int answer, string text)
    {
        var before = template.Render([.. messages.Take(answer)], addGenerationPrompt: true);
        return text.StartsWith(before, StringComparison.Ordinal) ? before.Length : throw NotStable(answer);
    }

    /// <summary>−1 where the template does not tell.</summary>
    private static int End(ChatTemplate template, IReadOnlyList<TemplateMessage> messages, int answer, string text)
    {
        if (answer == messages.Count - 1)
            return text.Length;
        var through = template.Render([.. messages.Take(answer + 1)], addGenerationPrompt: false);
        return text.StartsWith(through, StringComparison.Ordinal) ? through.Length : -1;
    }

    private static ChatTemplateException NotStable(int answer) =>
        new(
            ChatTemplateFault.NotPrefixStable,
            $"The chat template does not show where messages[{answer}] begins: with it, what comes before is written differently."
        );
}
