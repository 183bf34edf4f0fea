//! Encoding on a thread of its own, so that the next frame is drawn while this one is encoded.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use super::staging::io;
use super::{FilmFormat, FrameSink, SinkError, Summary};

/// Frames that may wait for the encoder. Enough to even out slow frames, little enough to stay small
/// (a 1920x1080 frame is 8 MB).
const QUEUE: usize = 3;

enum Job {
    Frame(Vec<u8>),
    Finish,
}

/// Passes frames to an encoder on another thread.
pub(super) struct BackgroundSink {
    output: PathBuf,
    frame_bytes: usize,
    /// `None` once the encoder has ended.
    jobs: Option<SyncSender<Job>>,
    /// Buffers of frames already encoded, to be filled again.
    spent: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<Result<Option<Summary>, SinkError>>>,
}

impl BackgroundSink {
    /// Starts the thread. `encoder` sees frames of the right length only.
    pub fn spawn(
        encoder: Box<dyn FrameSink>,
        output: &Path,
        format: FilmFormat,
    ) -> Result<Self, SinkError> {
        let (jobs, queue) = sync_channel(QUEUE);
        let (give_back, spent) = channel();
        let thread = std::thread::Builder::new()
            .name("film encoder".into())
            .spawn(move || encode_all(encoder, &queue, &give_back))
            .map_err(io("start an encoder for", output))?;
        Ok(Self {
            output: output.to_path_buf(),
            frame_bytes: format.frame_bytes(),
            jobs: Some(jobs),
            spent,
            thread: Some(thread),
        })
    }

    /// Waits for the thread and returns what it has to say.
    fn join(&mut self) -> Result<Option<Summary>, SinkError> {
        self.jobs = None;
        match self.thread.take() {
            None => Err(SinkError::Stopped),
            Some(thread) => thread.join().unwrap_or_else(|_| {
                Err(SinkError::Encoder {
                    output: self.output.clone(),
                    message: "the encoder panicked".into(),
                })
            }),
        }
    }
}

/// The body of the thread. It ends early at an error, or without a summary when the sink was dropped.
fn encode_all(
    mut encoder: Box<dyn FrameSink>,
    queue: &Receiver<Job>,
    give_back: &Sender<Vec<u8>>,
) -> Result<Option<Summary>, SinkError> {
    loop {
        match queue.recv() {
            Ok(Job::Frame(frame)) => {
                encoder.push(&frame)?;
                // Nobody takes buffers back once the sink is gone.
                drop(give_back.send(frame));
            }
            Ok(Job::Finish) => return encoder.finish().map(Some),
            Err(_) => return Ok(None),
        }
    }
}

impl FrameSink for BackgroundSink {
    fn push(&mut self, rgba: &[u8]) -> Result<(), SinkError> {
        if rgba.len() != self.frame_bytes {
            return Err(SinkError::FrameBytes {
                expected: self.frame_bytes,
                found: rgba.len(),
            });
        }
        let Some(jobs) = &self.jobs else {
            return Err(SinkError::Stopped);
        };
        let mut frame = self.spent.try_recv().unwrap_or_default();
        frame.clear();
        frame.extend_from_slice(rgba);
        if jobs.send(Job::Frame(frame)).is_ok() {
            return Ok(());
        }
        match self.join() {
            Err(error) => Err(error),
            Ok(_) => Err(SinkError::Stopped),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<Summary, SinkError> {
        if let Some(jobs) = &self.jobs {
            // If the encoder has ended, joining it tells why.
            drop(jobs.send(Job::Finish));
        }
        self.join()?.ok_or(SinkError::Stopped)
    }
}

impl Drop for BackgroundSink {
    /// Waits until the encoder has removed what it had written.
    fn drop(&mut self) {
        if self.thread.is_some() {
            drop(self.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails at a given frame.
    struct Failing {
        left: usize,
    }

    impl FrameSink for Failing {
        fn push(&mut self, _: &[u8]) -> Result<(), SinkError> {
            if self.left == 0 {
                return Err(SinkError::Encoder {
                    output: "x".into(),
                    message: "disk full".into(),
                });
            }
            self.left -= 1;
            Ok(())
        }

        fn finish(self: Box<Self>) -> Result<Summary, SinkError> {
            unreachable!("a failing encoder is never finished")
        }
    }

    const FORMAT: FilmFormat = FilmFormat {
        width: 2,
        height: 2,
        frames_per_second: 1,
    };

    #[test]
    fn an_error_in_the_background_comes_out_at_a_later_push_and_then_it_stays_stopped() {
        let mut sink =
            BackgroundSink::spawn(Box::new(Failing { left: 2 }), Path::new("x"), FORMAT).unwrap();
        let error = (0..20)
            .find_map(|_| sink.push(&[0; 16]).err())
            .expect("the queue is shorter than 20 frames");
        assert!(error.to_string().contains("disk full"), "{error}");
        assert!(matches!(sink.push(&[0; 16]), Err(SinkError::Stopped)));
    }

    #[test]
    fn an_error_in_the_background_comes_out_at_finish() {
        let mut sink = Box::new(
            BackgroundSink::spawn(Box::new(Failing { left: 0 }), Path::new("x"), FORMAT).unwrap(),
        );
        sink.push(&[0; 16]).unwrap();
        let error = sink.finish().unwrap_err();
        assert!(error.to_string().contains("disk full"), "{error}");
    }

    #[test]
    fn a_frame_of_the_wrong_length_is_refused() {
        let mut sink =
            BackgroundSink::spawn(Box::new(Failing { left: 9 }), Path::new("x"), FORMAT).unwrap();
        assert!(matches!(
            sink.push(&[0; 15]),
            Err(SinkError::FrameBytes {
                expected: 16,
                found: 15
            })
        ));
    }
}
