//! How much of the pool something takes.

/// How much of the pool is taken.
#[derive(Clone, Copy, Default)]
pub(super) struct Room {
    pub transactions: usize,
    pub bytes: usize,
}

impl Room {
    /// Whether so many bytes more fit into so many transactions and bytes.
    pub fn has_place(self, bytes: usize, (transactions_max, bytes_max): (usize, usize)) -> bool {
        self.transactions < transactions_max && self.bytes.saturating_add(bytes) <= bytes_max
    }

    pub fn take(&mut self, bytes: usize) {
        self.transactions = self.transactions.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    pub fn leave(&mut self, bytes: usize) {
        self.transactions = self.transactions.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
