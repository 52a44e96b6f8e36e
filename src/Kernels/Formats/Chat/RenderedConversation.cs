using System.Runtime.InteropServices;

namespace EgpuFleet.Kernels.Formats.Chat;

/// <summary>A conversation as text, and where in it the assistant speaks.</summary>
/// <param name="Text">All of it.</param>
/// <param name="Answers">The answers asked for, in order; they do not overlap.</param>
public sealed record RenderedConversation(string Text, IReadOnlyList<AnswerSpan> Answers);

/// <summary>One answer: characters <see cref="Start"/> up to <see cref="End"/>, with what the template puts at its end.</summary>
/// <param name="Start">Where the model goes on by itself: right after the beginning that the template gives it.</param>
/// <param name="End">Where the next message begins, or a place behind it.</param>
/// <param name="EndsThere">Whether <paramref name="End"/> is exact. Else the answer ends with the token that says so.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct AnswerSpan(int Start, int End, bool EndsThere);
