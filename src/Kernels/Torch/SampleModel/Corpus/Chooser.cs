namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>Picks from lists and fills templates; all chance comes from one seeded source.</summary>
public sealed class Chooser(Random random)
{
    /// <summary>One item, each as likely.</summary>
    public T Pick<T>(IReadOnlyList<T> items) => items[random.Next(items.Count)];

    /// <summary>One item that is not <paramref name="other"/>.</summary>
    public T PickOther<T>(IReadOnlyList<T> items, T other)
    {
        T item;
        do
        {
            item = Pick(items);
        } while (EqualityComparer<T>.Default.Equals(item, other));
        return item;
    }

    /// <summary>Some different items in any order.</summary>
    public IReadOnlyList<T> PickSome<T>(IReadOnlyList<T> items, int count)
    {
        T[] all = [.. items];
        random.Shuffle(all);
        return all[..Math.Min(count, all.Length)];
    }

    /// <summary>A whole number from <paramref name="first"/> to <paramref name="last"/>.</summary>
    public int Number(int first, int last) => random.Next(first, last + 1);

    /// <summary>True in so many of a hundred cases.</summary>
    public bool Chance(int percent) => random.Next(100) < percent;
}
