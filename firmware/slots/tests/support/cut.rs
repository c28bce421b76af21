//! A disk whose power is cut at a chosen step, and which may forget what was not synced.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use undertone_slots::{Fs, SystemFs};

/// How to undo something that was not synced.
enum Undo {
    /// Remove what was made at this path.
    Remove(PathBuf),
    /// Move it back.
    Move(PathBuf, PathBuf),
}

/// Counts steps; at the chosen one, and ever after, everything fails.
pub(crate) struct CutFs {
    left: Cell<usize>,
    pub(crate) steps: Cell<usize>,
    /// Where removed and replaced things are kept until the folder is synced.
    trash: tempfile::TempDir,
    kept: Cell<usize>,
    journal: RefCell<Vec<(PathBuf, Undo)>>,
    unsynced: RefCell<Vec<PathBuf>>,
}

impl CutFs {
    pub(crate) fn after(steps: usize) -> Self {
        CutFs {
            left: Cell::new(steps),
            steps: Cell::new(0),
            trash: tempfile::tempdir().unwrap(),
            kept: Cell::new(0),
            journal: RefCell::default(),
            unsynced: RefCell::default(),
        }
    }

    /// What a disk that was lazy would have lost: content that was not synced, entries of folders that were not.
    pub(crate) fn forget(&self) {
        for path in self.unsynced.take() {
            if path.is_file() {
                std::fs::write(path, b"").unwrap();
            }
        }
        for (_, undo) in self.journal.take().into_iter().rev() {
            match undo {
                Undo::Remove(path) if path.is_dir() && !path.is_symlink() => {
                    std::fs::remove_dir_all(path).unwrap();
                }
                Undo::Remove(path) => std::fs::remove_file(path).unwrap(),
                Undo::Move(from, to) => std::fs::rename(from, to).unwrap(),
            }
        }
    }

    fn step(&self) -> io::Result<()> {
        self.steps.set(self.steps.get() + 1);
        match self.left.get() {
            0 => Err(io::Error::other("the power was cut")),
            left => {
                self.left.set(left - 1);
                Ok(())
            }
        }
    }

    fn note(&self, path: &Path, undo: Undo) {
        let folder = path.parent().unwrap().to_owned();
        self.journal.borrow_mut().push((folder, undo));
    }

    /// Moves what is at a path out of the way; it comes back if it is not synced.
    fn keep(&self, path: &Path) {
        if std::fs::symlink_metadata(path).is_ok() {
            self.kept.set(self.kept.get() + 1);
            let kept = self.trash.path().join(self.kept.get().to_string());
            std::fs::rename(path, &kept).unwrap();
            self.note(path, Undo::Move(kept, path.to_owned()));
        }
    }
}

impl Fs for &CutFs {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        SystemFs.create_dir(path)?;
        self.note(path, Undo::Remove(path.to_owned()));
        Ok(())
    }

    fn write(&self, path: &Path, mode: u32, content: &mut dyn Read) -> io::Result<()> {
        let step = self.step();
        self.unsynced.borrow_mut().push(path.to_owned());
        if step.is_err() {
            // Half of it got through.
            SystemFs.write(path, mode, &mut content.take(1000))?;
        } else {
            SystemFs.write(path, mode, content)?;
        }
        self.note(path, Undo::Remove(path.to_owned()));
        step
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.unsynced.borrow_mut().retain(|other| other != path);
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.journal
            .borrow_mut()
            .retain(|(folder, _)| folder != path);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        let below = |path: &PathBuf| path.starts_with(from);
        assert!(
            !self.unsynced.borrow().iter().any(below),
            "{} is put in place before its content is on the disk",
            from.display()
        );
        self.keep(to);
        SystemFs.rename(from, to)?;
        self.note(to, Undo::Move(to.to_owned(), from.to_owned()));
        Ok(())
    }

    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        self.step()?;
        SystemFs.symlink(target, link)?;
        self.note(link, Undo::Remove(link.to_owned()));
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.keep(path);
        Ok(())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.keep(path);
        Ok(())
    }
}
